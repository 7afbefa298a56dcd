"""The core with one step moved or left out, each of which the state machine must catch."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from shared.errors import NoPhoto, PhotoSyncError
from shared.run import Run
from shared.sweep import Sweep
from shared.sync import Sync
from tests.machine.world import Parts


class StateBeforeSource(Sync):
    """The state is read first, the source second."""

    def _look(self, run: Run) -> str | PhotoSyncError:
        if not run.recalled:
            super()._recall(run)
        return super()._look(run)

    def _recall(self, run: Run) -> None:
        pass


class NoClaim(Sync):
    """Nobody is kept away while a picture is copied; the result is still written conditionally."""

    def _claim(self, run: Run) -> datetime:
        run.claim = run.known
        return datetime.max.replace(tzinfo=UTC)


class UnconditionalResult(Sync):
    """The result is written over whatever is there by then."""

    def _complete(self, run: Run, **result: Any) -> None:
        run.claim = self._store.read(run.user_id)
        super()._complete(run, **result)


class NoSweep(Sweep):
    """Whoever no notification told of is never looked at."""

    def start(self) -> None:
        pass


class RemovalAtFirstLook(Sync):
    """A photo that is not found once takes the picture along."""

    def _may_remove(self, run: Run) -> bool:
        return run.before.picture_url != ""


class RemovalOnHearsay(Sync):
    """Whom a sweep has found gone loses the picture, and nobody looks again."""

    def _look(self, run: Run) -> str | PhotoSyncError:
        return NoPhoto("The sweep said so.") if run.removal else super()._look(run)


class HashIgnored(Sync):
    """A new etag is taken for a new picture."""

    def _is_held(self, run: Run, sha256: str) -> bool:
        return False


class HashOutlivesError(Sync):
    """A run that failed between two files keeps the hash of the picture before."""

    def record(self, run: Run, *args: Any, **options: Any) -> None:
        super().record(replace(run, files_touched=False), *args, **options)


class PageDoneOnce(Sweep):
    """A page that comes back is taken for a duplicate, so that a sweep that died stays dead."""

    def _go_on_after(self, page: int, sweep: Any) -> None:
        pass

    def _revived(self, sweep: Any) -> bool:
        return True


SEEDED = {
    "state-before-source": Parts(sync=StateBeforeSource),
    "no-claim": Parts(sync=NoClaim),
    "result-without-condition": Parts(sync=UnconditionalResult),
    "notification-dropped-without-sweep": Parts(sweep=NoSweep),
    "removal-without-second-look": Parts(sync=RemovalAtFirstLook),
    "removal-on-hearsay": Parts(sync=RemovalOnHearsay),
    "hash-ignored": Parts(sync=HashIgnored),
    "hash-outlives-error": Parts(sync=HashOutlivesError),
    "dead-sweep-stays-dead": Parts(sweep=PageDoneOnce),
}
