"""Whom an admin means by a name, also while Microsoft Graph cannot be asked."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from shared.console.roster import Roster
from shared.errors import BadRequest, GiveUp, PhotoSyncError, TryLater, UnknownUser
from shared.storage.user_state import Stored, UserState
from shared.user import Directory, User, is_object_id, is_upn


class Memory(Protocol):
    """The reading half of the state store."""

    def read(self, user_id: str) -> Stored | None: ...


class Person(NamedTuple):
    """
    A user, and what is remembered of the user.

    With `error`, which says why Graph could not be asked or knows no such user, the user too is as
    remembered.
    """

    user: User
    known: UserState | None
    error: PhotoSyncError | None = None


class People:
    """Finds users by object id or UPN. Errors of all: BadRequest, UnknownUser."""

    def __init__(self, directory: Directory, memory: Memory, roster: Roster) -> None:
        self._directory = directory
        self._memory = memory
        self._roster = roster

    def find(self, name: str) -> Person:
        """Who is called *name*. Raises what Graph does about somebody of whom nothing is known."""
        try:
            user = self._ask(name)
        except (TryLater, GiveUp, UnknownUser) as error:
            if isinstance(error, BadRequest) or (known := self._remembered(name)) is None:
                raise
            return Person(_as_remembered(known), known, error)
        return Person(user, self._read(user.id))

    def remembered(self, name: str) -> UserState | None:
        """What is remembered of *name*; Graph is asked only where no state has that object id."""
        known = self._read(name.lower()) if is_object_id(name) else None
        return known or self.find(name).known

    def to_queue(self, name: str) -> str:
        """What a message calls this user: *name* itself where only the worker can look it up."""
        try:
            return self._ask(name).id
        except TryLater:
            return name.lower() if is_object_id(name) else name
        except UnknownUser:
            left = self._remembered(name)
            if left is None:
                raise
            return left.user_id

    def _ask(self, name: str) -> User:
        if not is_object_id(name) and not is_upn(name):
            raise BadRequest("Name a user by object id or by UPN such as anne@contoso.com.")
        try:
            return self._directory.user(name)
        except UnknownUser as error:
            raise UnknownUser(f"Microsoft Graph knows no such user: {name}.") from error

    def _remembered(self, name: str) -> UserState | None:
        if is_object_id(name):
            return self._read(name.lower())
        found = self._roster.find(name)
        return self._read(found.user_id) if found else None

    def _read(self, user_id: str) -> UserState | None:
        stored = self._memory.read(user_id)
        return stored.state if stored else None


def _as_remembered(known: UserState) -> User:
    return User(
        id=known.user_id,
        user_principal_name=known.user_principal_name,
        account_enabled=True,
        is_guest=False,
        display_name=known.display_name,
    )
