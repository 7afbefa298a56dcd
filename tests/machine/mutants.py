"""The core with one step moved or left out, each of which the state machine must catch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from shared.auditing.look import Finding, Looks
from shared.copying.run import Run
from shared.copying.sync import CLAIM_LENGTH, Sync
from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, UnknownUser
from shared.storage.roster_entry import Entry
from shared.storage.user_state import Stored
from shared.sweeping.state_page import StateLook
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_page import PageLook, PageResult
from shared.user import User
from tests.machine.rules import RUNS_AT_ONCE, Changes, Machine, which
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

    def _claim(self, run: Run) -> float:
        run.claim = run.known
        return math.inf


class UnconditionalResult(Sync):
    """The result is written over whatever is there by then."""

    def _complete(self, run: Run, **result: Any) -> None:
        run.claim = self._store.read(run.user_id)
        super()._complete(run, **result)


class NoSweep(Sweep):
    """Whoever no notification told of is never looked at."""

    def start(self) -> str:
        return ""


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

    def _recall(self, run: Run) -> None:
        super()._recall(run)
        if run.known:
            run.known = run.known._replace(state=replace(run.known.state, sha256=""))


class OneFailsThePage(PageLook):
    """What one mailbox answers is taken for everybody's."""

    def look_at(self, users: Sequence[User]) -> PageResult:
        result = super().look_at(users)
        if result.errors:
            raise result.errors[0]
        return result


class StateBelieved(Looks):
    """An audit takes the state's word for what SharePoint shows."""

    def look_at(self, due: Sequence[Stored]) -> list[Finding]:
        return [Finding(stored, stored.state) for stored in due]


class RepairWithoutClaim(Sync):
    """What an audit has found is repaired while others may copy."""

    def _claim(self, run: Run) -> float:
        if not run.thorough:
            return super()._claim(run)
        run.claim = run.known
        return math.inf


class VanishedIsGone(Sync):
    """A mailbox that is not there is taken for one without a photo."""

    def _look(self, run: Run) -> str | PhotoSyncError:
        found = super()._look(run)
        return NoPhoto("No mailbox.") if isinstance(found, NoMailbox) else found


class VanishedIsGoneForSweeps(PageLook):
    """The same in the sweep, which orders removals."""

    def look_at(self, users: Sequence[User]) -> PageResult:
        photos = self._photos

        class Photos:
            def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
                found = photos.photo_etags(user_ids)
                return {
                    each: NoPhoto("No mailbox.") if isinstance(one, NoMailbox) else one
                    for each, one in found.items()
                }

        self._photos = Photos()
        try:
            return super().look_at(users)
        finally:
            self._photos = photos


class ForgetsTooEarly(Sync):
    """Whom Graph does not know is forgotten at the first look, whoever ordered it."""

    def _may_forget(self, run: Run) -> bool:
        return run.before.picture_url != ""


class ForgetsOnHearsay(Sync):
    """Whom a sweep has found due is forgotten, and nobody asks Graph again."""

    def _look(self, run: Run) -> str | PhotoSyncError:
        return UnknownUser("The sweep said so.") if self._may_forget(run) else super()._look(run)

    def _look_for(self, run: Run) -> PhotoSyncError:
        return UnknownUser("The sweep said so.")


class ForgetsNobodyUnheard(StateLook):
    """Who has left is only found by a notification."""

    def _why_moved(self, entry: Entry, found: User | PhotoSyncError) -> str:
        return ""


class KeepsTheState(Sync):
    """Who comes back is taken for shown, whatever became of the profile."""

    def _recall(self, run: Run) -> None:
        super()._recall(run)
        run.thorough = False


class Turn(Changes):
    """A photo is changed and changed back while two runs meet."""

    parts = Parts(sync=StateBeforeSource)
    stops = ("photo_etag", "plan")
    pass_time = None  # type: ignore[assignment] # a rule is left out by its name


class Frozen(Changes):
    """A run stands still for longer than its claim lives."""

    parts = Parts(sync=UnconditionalResult)
    stops = ("end",)
    messages = (1,)
    pass_time = None  # type: ignore[assignment] # a rule is left out by its name

    @precondition(lambda self: self._ready() and len(self.world.jobs) < RUNS_AT_ONCE)
    @rule(which=which)
    def freeze(self, which: int) -> None:
        """A run writes its files, and its result only after the claim has run out."""
        job = self.world.begin(*self._ready()[which % len(self._ready())])
        written = 0
        while job.call is not None and not (written and job.call != "write"):
            written += job.call == "write"
            self.world.tell(job)
        self.world.pass_time(timedelta(seconds=CLAIM_LENGTH + 1))


class Meeting(Changes):
    """Runs over one user meet."""

    parts = Parts(sync=NoClaim)


class Repairing(Changes):
    """A repair and a change meet."""

    parts = Parts(sync=RepairWithoutClaim)
    pass_time = None  # type: ignore[assignment] # a rule is left out by its name

    @rule(place=st.integers(0, 3))
    def damage(self, place: int) -> None:
        """A stranger changes what SharePoint shows, and an audit sends the user to the worker."""
        [user_id] = self.world.users
        self.world.damage(user_id, place)
        fields = {"userId": user_id, "reason": "audit", "correlationId": "audit"}
        self.world.photo_sync.put(json.dumps(fields))


def _anything(parts: Parts) -> type[Changes]:
    return type("Anything", (Machine,), {"parts": parts})


# By the defect, the machine that has it. Some are narrow, so that they find theirs in seconds.
SEEDED: dict[str, type[Changes]] = {
    "state-before-source": Turn,
    "no-claim": Meeting,
    "result-without-condition": Frozen,
    "notification-dropped-without-sweep": _anything(Parts(sweep=NoSweep)),
    "removal-without-second-look": _anything(Parts(sync=RemovalAtFirstLook)),
    "removal-on-hearsay": _anything(Parts(sync=RemovalOnHearsay)),
    "one-mailbox-fails-the-page": _anything(Parts(pages=OneFailsThePage)),
    "vanished-mailbox-takes-the-picture": _anything(
        Parts(sync=VanishedIsGone, pages=VanishedIsGoneForSweeps)
    ),
    "audit-takes-the-states-word": _anything(Parts(looks=StateBelieved)),
    "repair-without-claim": Repairing,
    "forgotten-too-early": _anything(Parts(sync=ForgetsTooEarly)),
    "forgotten-on-hearsay": _anything(Parts(sync=ForgetsOnHearsay)),
    "leaver-found-by-notification-only": _anything(Parts(remembered=ForgetsNobodyUnheard)),
    "restored-without-a-look": _anything(Parts(sync=KeepsTheState)),
    "hash-ignored": _anything(Parts(sync=HashIgnored)),
}
