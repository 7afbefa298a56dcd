"""Looks at what SharePoint shows of users whose picture is ours, and says what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol

from shared.budget.work import Kind, doing
from shared.errors import GiveUp, PhotoSyncError, Settled, TryLater
from shared.sharepoint.inspection import Inspection
from shared.storage.user_state import Stored, UserState
from shared.user import User
from shared.written_file import WrittenFile

LOOKS_AT_ONCE = 8
_UNKNOWN = (
    "It is not known how SharePoint's files were when they were written, or for whom: another "
    "look, with the photo at hand, finds out."
)


class Target(Protocol):
    """SharePoint; see Publisher."""

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection: ...


class States(Protocol):
    """The reading half of a Store."""

    def read(self, user_id: str) -> Stored | None: ...


@dataclass(frozen=True)
class Finding:
    """
    What a look at one user came to: `damage`, or why it is `unclear`, or the `error` that nothing
    could be learnt; all empty where SharePoint shows our picture. `after` is what the state should
    say then; the same as before where nothing is new.
    """

    stored: Stored
    after: UserState
    damage: str = ""
    unclear: str = ""
    error: PhotoSyncError | None = None

    @property
    def user_id(self) -> str:
        return self.after.user_id

    @property
    def is_for_worker(self) -> bool:
        """Whether a copy has to settle it; what was found before stands where nothing is learnt."""
        return bool(self.damage or self.unclear or (self.error and self.after.damage))


class Looks:
    """Reads states and looks at their users' pictures, several at once. Threads may share it."""

    def __init__(self, states: States, target: Target) -> None:
        self._states = states
        self._target = target
        self._pool = ThreadPoolExecutor(LOOKS_AT_ONCE, thread_name_prefix="audit")

    def due(self, user_ids: Sequence[str]) -> list[Stored]:
        """
        The states of those among *user_ids* of whom SharePoint should show a picture of ours.

        Not of those with whom a run is busy, or whose files are in doubt: they are copied anyway.
        Raises ServiceDown.
        """
        read = self._pool.map(self._states.read, user_ids)
        return [stored for stored in read if stored and stored.state.is_shown]

    def look_at(self, due: Sequence[Stored]) -> list[Finding]:
        """
        Look at each user whose state is *due*. Changes nothing.

        Raises nothing of ours: an error is its user's Finding.
        """
        return list(self._pool.map(self._look_at, due))

    def _look_at(self, stored: Stored) -> Finding:
        known = stored.state
        if not known.files or not known.user_principal_name:
            return Finding(stored, known, unclear=_UNKNOWN)
        # As the state knows the user: whoever has another name by now is unclear, and asked about.
        user = User(known.user_id, known.user_principal_name, account_enabled=True, is_guest=False)
        try:
            # Here, since the threads of the pool know nothing of who has called.
            with doing(Kind.AUDIT, ahead=0):
                found = self._target.inspect(user, known.picture_url, known.files)
        except Settled as why:
            return Finding(stored, known, unclear=str(why))
        except (TryLater, GiveUp) as error:
            return Finding(stored, known, error=error)
        if found.outdated:
            return Finding(stored, known, unclear=found.outdated)
        after = replace(known, damage=found.damage, files=found.files or known.files)
        return Finding(stored, after, damage=found.damage)
