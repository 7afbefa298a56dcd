"""Exchange behind Graph: as much of it as the core sees, and who has looked at what."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from shared import scope
from shared.errors import NoPhoto, OutOfScope, PhotoSyncError, UnknownUser
from shared.graph.client import Fetched, ScaledPhoto
from shared.graph.user_listing import UserPage
from shared.microsoft365.reply import Reply
from shared.settings.app import Settings
from shared.user import User
from tests.machine.jobs import Job, at, current

USERS_A_PAGE = 3
GROUP = "0b000000-0000-4000-8000-000000000000"
_SETTINGS = cast(Settings, SimpleNamespace(excluded_users=frozenset(), include_guests=True))


def users(count: int) -> list[User]:
    return [
        User(f"0a000000-0000-4000-8000-{n:012d}", f"person{n}@contoso.com", True, False)
        for n in range(count)
    ]


def sha256(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()


def check_scope(user: User) -> None:
    scope.check(user, _SETTINGS)


@dataclass(frozen=True)
class Look:
    """
    Somebody asked for a user's photo: when, in which run, and whether there was one; or for the
    user, and Graph knew of none (`left`).
    """

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
        """*looked* is told whose photo a run has asked for; *etags_return* when its bytes do."""
        self.users = {user.id: user for user in users(count)}
        self.everybody = list(self.users)
        # By each name that somebody has or had.
        self._ids = {user.user_principal_name: user.id for user in self.users.values()}
        # Whom Graph does not know now, and can restore.
        self.left: dict[str, User] = {}
        self.photos: dict[str, bytes] = {}
        # Users whose mailbox answers with an error, for as long as it stands here.
        self.troubles: dict[str, PhotoSyncError] = {}
        # Counted, 0 while all is well: in an outage every mailbox seems to be without a photo.
        self.outage = 0
        self.looks: defaultdict[str, list[Look]] = defaultdict(list)
        self._etags_return = etags_return
        self._uploads = 0
        self._etags: dict[str, str] = {}
        self._clock = clock
        self._looked = looked

    def album(self, user_id: str) -> list[bytes]:
        """The photos that this user, and nobody else, can have."""
        return [user_id.encode() + letter for letter in (b"A", b"B", b"C")]

    def put(self, user_id: str, photo: bytes | None) -> None:
        self.photos.pop(user_id, None)
        if photo is not None:
            self._uploads += 1
            self.photos[user_id] = photo
            name = sha256(photo) if self._etags_return else str(self._uploads)
            self._etags[user_id] = f'W/"{name}"'

    def describe(self, user_id: str, **fields: Any) -> None:
        """An account is disabled or enabled, put into a group or taken out of it."""
        self.users[user_id] = replace(self.users[user_id], **fields)

    def rename(self, user_id: str, upn: str) -> None:
        self.users[user_id] = replace(self.users[user_id], user_principal_name=upn)
        self._ids[upn] = user_id

    def name_of(self, user_id: str) -> str:
        """The UPN of today, or the last one."""
        return (self.users.get(user_id) or self.left[user_id]).user_principal_name

    def id_of(self, name: str) -> str:
        """Whom an order names, by object id or by a name of today or of old."""
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
        # Bytes and etag in one moment: no look can tell what happens between them.
        def fetch() -> Fetched:
            etag = self._etag(user_id)
            return Fetched(self.users[user_id], self.photos[user_id], etag)

        return at("user_and_photo", fetch)

    def scaled_photo(self, user_id: str) -> ScaledPhoto:
        raise AssertionError("No photo of this world is too large.")

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        return at("photo_etags", lambda: {each: self._etag_or_error(each) for each in user_ids})

    def page(self, path: str = "") -> UserPage:
        """By id, as the path says whom the page before ended with."""

        def read() -> UserPage:
            members = [user for _, user in sorted(self.users.items()) if user.in_group]
            rest = [user for user in members if user.id > path]
            # Of the other group a list does not tell.
            found = [replace(user, is_excluded=False) for user in rest[:USERS_A_PAGE]]
            return UserPage(found, found[-1].id if len(rest) > USERS_A_PAGE else "")

        return at("page", read)

    def _etag(self, user_id: str) -> str:
        if user_id not in self.users:
            raise UnknownUser("Microsoft Graph has no such user.")
        if user_id in self.troubles:
            # A copy: one that is raised again keeps every run that it ever went through.
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
    """Graph as it is asked about many users at once."""

    def __init__(self, exchange: Exchange) -> None:
        self.users = exchange.known


class Members:
    """
    Graph as it tells who is in the excluded group, to the product's own MarkedListing.

    That holds a lock meanwhile, at which no run may stand still: so here nothing befalls a call.
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
