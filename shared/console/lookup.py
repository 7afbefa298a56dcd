"""Finds the user that an admin names, even if Microsoft Graph cannot be asked."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from shared.console.roster import Roster
from shared.errors import BadRequest, GiveUp, PhotoSyncError, Refused, TryLater, UnknownUser
from shared.storage.user_state import Stored, UserState
from shared.user import Directory, User, is_object_id, is_upn

_NAMED = 5


class StateReader(Protocol):
    """The reading half of the state store."""

    def read(self, user_id: str) -> Stored | None: ...


class Search(Protocol):
    """See UserSearch."""

    def search(self, text: str) -> list[User]: ...
    def addressed(self, address: str) -> list[User]: ...


class Person(NamedTuple):
    """
    A user, and the user's stored state.

    `error` says why Graph could not be asked or knows no such user; the user is then as stored.
    """

    user: User
    known: UserState | None
    error: PhotoSyncError | None = None


class NamedUser(NamedTuple):
    """How a message names a user, and who that is as far as known."""

    called: str
    user_principal_name: str = ""
    display_name: str = ""


class UserLookup:
    """
    Finds users by object id, UPN, any other address, or the beginning of a name that is theirs
    alone. All methods raise BadRequest, UnknownUser.
    """

    def __init__(
        self, directory: Directory, search: Search, states: StateReader, roster: Roster
    ) -> None:
        self._directory = directory
        self._search = search
        self._states = states
        self._roster = roster

    def find(self, name: str) -> Person:
        """The user called *name*. Raises Graph's error for a user without a state."""
        try:
            user = self._ask(name)
        except (TryLater, GiveUp, UnknownUser) as error:
            if isinstance(error, BadRequest) or (known := self._stored(name)) is None:
                raise
            return Person(_as_stored(known), known, error)
        return Person(user, self._read(user.id))

    def stored(self, name: str) -> UserState | None:
        """The state of *name*; Graph is asked only if no state has that object id."""
        known = self._read(name.lower()) if is_object_id(name) else None
        return known or self.find(name).known

    def to_queue(self, name: str) -> NamedUser:
        """The user that a message is about: *name* itself if only the worker can look it up."""
        try:
            user = self._ask(name)
        except TryLater:
            if not is_object_id(name) and not is_upn(name):
                # The worker cannot look up a name.
                raise
            return NamedUser(name.lower() if is_object_id(name) else name)
        except (UnknownUser, Refused):
            # Refused: nobody has this UPN, and Graph would not search by other addresses.
            left = self._stored(name)
            if left is None:
                raise
            return NamedUser(left.user_id, left.user_principal_name, left.display_name)
        return NamedUser(user.id, user.user_principal_name, user.display_name)

    def search(self, text: str) -> list[tuple[User, UserState | None]]:
        """The users whom Graph finds by *text*, and the state of each."""
        return [(user, self._read(user.id)) for user in self._search.search(text)]

    def named(self, name: str) -> NamedUser:
        """The user called *name*, as far as known; without an object id if unknown."""
        if is_object_id(name):
            return NamedUser(*self.account(name, name.lower()))
        try:
            user = self.find(name).user
        except (TryLater, GiveUp, UnknownUser) as error:
            if isinstance(error, BadRequest):
                raise
            # Orders may have been given by this name too: the log is searched without a user.
            return NamedUser("", name)
        return NamedUser(user.id, user.user_principal_name, user.display_name)

    def account(self, name: str, user_id: str) -> tuple[str, str]:
        """The object id of the user queued as *user_id*, and the UPN, as far as known."""
        if not is_object_id(user_id):
            return "", user_id
        known = self._states.read(user_id)
        upn = known.state.user_principal_name if known else ""
        return user_id, upn or spelled(name)[1]

    def _ask(self, name: str) -> User:
        if not name.strip():
            raise BadRequest("Name a user by UPN, another address, object id or name.")
        if not is_object_id(name) and not is_upn(name):
            return _only(self._search.search(name), name)
        try:
            return self._directory.user(name)
        except UnknownUser as error:
            found = self._search.addressed(name) if is_upn(name) else []
            if found:
                return _only(found, name)
            raise UnknownUser(f"Microsoft Graph found no such user: {name}.") from error

    def _stored(self, name: str) -> UserState | None:
        if is_object_id(name):
            return self._read(name.lower())
        found = self._roster.find(name) if is_upn(name) else None
        return self._read(found.user_id) if found else None

    def _read(self, user_id: str) -> UserState | None:
        found = self._states.read(user_id)
        return found.state if found else None


def spelled(name: str) -> tuple[str, str]:
    """*name* as an object id or as a UPN; the other is empty, and both if it is neither."""
    if is_object_id(name):
        return name.lower(), ""
    return "", name if is_upn(name) else ""


def _only(found: list[User], name: str) -> User:
    if not found:
        raise UnknownUser(f"Microsoft Graph found no such user: {name}.")
    if len(found) > 1:
        names = ", ".join(each.user_principal_name for each in found[:_NAMED])
        more = ", …" if len(found) > _NAMED else ""
        raise BadRequest(f"More than one user matches {name}: {names}{more}. Enter one of these.")
    return found[0]


def _as_stored(known: UserState) -> User:
    return User(
        id=known.user_id,
        user_principal_name=known.user_principal_name,
        account_enabled=True,
        is_guest=False,
        display_name=known.display_name,
    )
