"""Checks what SharePoint shows for users whose picture is ours, and reports what it finds."""

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

CHECKS_AT_ONCE = 8
_UNKNOWN = (
    "The state does not record which files PhotoSync wrote, or for which user principal name. A "
    "check that also reads the photo settles it."
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
    The result of checking one user: `damage`, or why it is `unclear`, or the `error` that left the
    check without an answer; all empty if SharePoint shows our picture. `after` is what the state
    should say now; the same as before if nothing is new.
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
        """Whether a copy must settle it; without an answer, damage found earlier still counts."""
        return bool(self.damage or self.unclear or (self.error and self.after.damage))


class PictureChecker:
    """Reads states and checks their users' pictures, several at once. Threads may share it."""

    def __init__(self, states: States, target: Target) -> None:
        self._states = states
        self._target = target
        self._pool = ThreadPoolExecutor(CHECKS_AT_ONCE, thread_name_prefix="audit")

    def due(self, user_ids: Sequence[str]) -> list[Stored]:
        """
        The states of those *user_ids* for whom SharePoint should show a picture of ours.

        Leaves out users whom a run is working on, or whose files are in doubt: they are copied
        anyway. Raises ServiceDown.
        """
        read = self._pool.map(self._states.read, user_ids)
        return [stored for stored in read if stored and stored.state.is_shown]

    def check(self, due: Sequence[Stored]) -> list[Finding]:
        """
        Check each user whose state is *due*. Changes nothing.

        Raises none of our errors: each becomes its user's Finding.
        """
        return list(self._pool.map(self._check, due))

    def _check(self, stored: Stored) -> Finding:
        known = stored.state
        if not known.files or not known.user_principal_name:
            return Finding(stored, known, unclear=_UNKNOWN)
        # The name from the state: a user renamed since then becomes unclear, for the worker.
        user = User(known.user_id, known.user_principal_name, account_enabled=True, is_guest=False)
        try:
            # Here, because the pool's threads do not inherit the caller's context.
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
