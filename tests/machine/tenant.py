"""Exchange behind Graph, as far as the core uses it, with a record of each read."""

from __future__ import annotations

import copy
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from shared import scope
from shared.errors import NoPhoto, OutOfScope, PhotoSyncError, UnknownUser
from shared.graph.client import Fetched
from shared.graph.user_listing import UserPage
from shared.microsoft365.reply import Reply
from shared.settings.app import Settings
from shared.user import User
from tests.machine.jobs import Job, at, current
from tests.race.world import sha256

USERS_A_PAGE = 3
GROUP = "0b000000-0000-4000-8000-000000000000"
_SETTINGS = cast(Settings, SimpleNamespace(excluded_users=frozenset(), include_guests=True))


def users(count: int) -> list[User]:
    return [
        User(f"0a000000-0000-4000-8000-{n:012d}", f"person{n}@contoso.com", True, False)
        for n in range(count)
    ]


def check_scope(user: User) -> None:
    scope.check(user, _SETTINGS)


@dataclass(frozen=True)
class Look:
    """A read of a user's photo: when, by which run, and whether there was a photo, or no user."""

    at: datetime
    by: Job | None
    found: bool
    left: bool = False


class Exchange:
    """The source."""

    def __init__(
        self,
        count: int,
        clock: Callable[[], datetime],
        looked: Callable[[str], None],
        *,
        etags_return: bool,
    ) -> None:
        """*looked* gets the user of each photo that is read; *etags_return* if the bytes return."""
        self.users = {user.id: user for user in users(count)}
        self.everybody = list(self.users)
        # By each current or earlier name.
        self._ids = {user.user_principal_name: user.id for user in self.users.values()}
        # Deleted users, whom Graph can restore.
        self.left: dict[str, User] = {}
        self.photos: dict[str, bytes] = {}
        # Users whose mailbox answers with an error.
        self.troubles: dict[str, PhotoSyncError] = {}
        # The number of the outage, in which every mailbox seems to have no photo; 0 without one.
        self.outage = 0
        self.looks: defaultdict[str, list[Look]] = defaultdict(list)
        self._etags_return = etags_return
        self._uploads = 0
        self._etags: dict[str, str] = {}
        self._clock = clock
        self._looked = looked

    def album(self, user_id: str) -> list[bytes]:
        """The photos that only this user can have."""
        return [user_id.encode() + letter for letter in (b"A", b"B", b"C")]

    def put(self, user_id: str, photo: bytes | None) -> None:
        self.photos.pop(user_id, None)
        if photo is not None:
            self._uploads += 1
            self.photos[user_id] = photo
            name = sha256(photo) if self._etags_return else str(self._uploads)
            self._etags[user_id] = f'W/"{name}"'

    def update(self, user_id: str, **fields: Any) -> None:
        """Change fields of the user, such as `account_enabled` or a group."""
        self.users[user_id] = replace(self.users[user_id], **fields)

    def rename(self, user_id: str, upn: str) -> None:
        self.users[user_id] = replace(self.users[user_id], user_principal_name=upn)
        self._ids[upn] = user_id

    def name_of(self, user_id: str) -> str:
        """The current UPN, or the last one."""
        return (self.users.get(user_id) or self.left[user_id]).user_principal_name

    def id_of(self, name: str) -> str:
        """The user that a message names, by object id or by a current or earlier name."""
        return self._ids.get(name, name)

    def is_in_scope(self, user_id: str) -> bool:
        try:
            check_scope(self.users[user_id])
        except (KeyError, OutOfScope):
            return False
        return True

    def leave(self, user_id: str) -> None:
        self.left[user_id] = self.users.pop(user_id)

    def restore(self, user_id: str) -> None:
        self.users[user_id] = self.left.pop(user_id)

    def photo_etag(self, user: str) -> str:
        def look() -> str:
            if user not in self.troubles and not self.outage:
                self._looked(user)
            return self._etag(user)

        return at("photo_etag", look)

    def user(self, user: str) -> User:
        def look() -> User:
            known = self.users.get(self.id_of(user))
            if known is None or user not in (known.id, known.user_principal_name):
                self.looks[user].append(Look(self._clock(), current(), False, left=True))
                raise UnknownUser("Microsoft Graph has no such user.")
            return known

        return at("user", look)

    def known(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        unknown = UnknownUser("Microsoft Graph has no such user.")
        return at("users", lambda: {each: self.users.get(each, unknown) for each in user_ids})

    def user_and_photo(self, user_id: str) -> Fetched:
        # Bytes and etag at one moment: a change between the two is not simulated.
        def fetch() -> Fetched:
            etag = self._etag(user_id)
            return Fetched(self.users[user_id], self.photos[user_id], etag)

        return at("user_and_photo", fetch)

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        return at("photo_etags", lambda: {each: self._etag_or_error(each) for each in user_ids})

    def page(self, path: str = "") -> UserPage:
        """Users by id, after the last one of the previous page, which is the path."""

        def read() -> UserPage:
            members = [user for _, user in sorted(self.users.items()) if user.in_group]
            rest = [user for user in members if user.id > path]
            # A list does not have the other group.
            found = [replace(user, is_excluded=False) for user in rest[:USERS_A_PAGE]]
            return UserPage(found, found[-1].id if len(rest) > USERS_A_PAGE else "")

        return at("page", read)

    def _etag(self, user_id: str) -> str:
        if user_id not in self.users:
            raise UnknownUser("Microsoft Graph has no such user.")
        if user_id in self.troubles:
            # A copy: an error that is raised again keeps the tracebacks of all earlier runs.
            raise copy.copy(self.troubles[user_id])
        found = user_id in self.photos and not self.outage
        self.looks[user_id].append(Look(self._clock(), current(), found))
        if not found:
            raise NoPhoto("The user has no photo in Exchange.")
        return self._etags[user_id]

    def _etag_or_error(self, user_id: str) -> str | PhotoSyncError:
        try:
            return self._etag(user_id)
        except PhotoSyncError as error:
            return error


class Directory:
    """Graph's lookup of many users at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.users = exchange.known


class Members:
    """
    Graph's list of the excluded group, for the product's own MarkedListing.

    That holds a lock meanwhile, during which no run may pause: so these calls have no faults.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        if "Members" not in path:
            return _answer({"id": GROUP, "visibility": "Public"})
        users = self._exchange.users.values()
        return _answer({"value": [{"id": user.id} for user in users if user.is_excluded]})

    def path_of(self, link: str) -> str:
        return link


def _answer(fields: object) -> Reply:
    return Reply("graph", 200, {}, json.dumps(fields).encode())
