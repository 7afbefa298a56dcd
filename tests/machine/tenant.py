"""Exchange behind Graph, and SharePoint: as much of them as the core sees, and what they note."""

from __future__ import annotations

import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shared.errors import ClaimLost, NoPhoto, OutOfScope, PhotoSyncError, UnknownUser
from shared.graph.client import Fetched, ScaledPhoto
from shared.graph.user_listing import UserPage
from shared.sharepoint.inspection import Inspection, inspected
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import TIMESTAMP, Plan, Removal
from shared.user import User
from shared.written_file import WrittenFile
from tests.machine.jobs import Job, at, current


def users(count: int) -> list[User]:
    return [
        User(f"0a000000-0000-4000-8000-00000000000{n}", f"person{n}@contoso.com", True, False)
        for n in range(count)
    ]


def renditions(photo: bytes) -> tuple[bytes, bytes, bytes]:
    return b"S:" + photo, b"M:" + photo, b"L:" + photo


def sha256(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()


def check_scope(user: User) -> None:
    if not user.account_enabled:
        raise OutOfScope("The account is disabled.")


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
    """The source. Each page of the listing has one user."""

    def __init__(
        self, count: int, clock: Callable[[], datetime], looked: Callable[[str], None]
    ) -> None:
        self.users = {user.id: user for user in users(count)}
        # Whom Graph does not know now, and can restore.
        self.left: dict[str, User] = {}
        self.photos: dict[str, bytes] = {}
        self.etags_return = False
        # Users whose mailbox answers with an error, for as long as it stands here.
        self.troubles: dict[str, PhotoSyncError] = {}
        self.looks: defaultdict[str, list[Look]] = defaultdict(list)
        self._uploads = 0
        self._etags: dict[str, str] = {}
        self._clock = clock
        self._looked = looked

    def put(self, user_id: str, photo: bytes | None) -> None:
        self.photos.pop(user_id, None)
        if photo is not None:
            self._uploads += 1
            self.photos[user_id] = photo
            name = sha256(photo) if self.etags_return else str(self._uploads)
            self._etags[user_id] = f'W/"{name}"'

    def enable(self, user_id: str, enabled: bool) -> None:
        self.users[user_id] = replace(self.users[user_id], account_enabled=enabled)

    def leave(self, user_id: str) -> None:
        self.left[user_id] = self.users.pop(user_id)

    def restore(self, user_id: str) -> None:
        self.users[user_id] = self.left.pop(user_id)

    def photo_etag(self, user: str) -> str:
        def look() -> str:
            if user not in self.troubles:
                self._looked(user)
            return self._etag(user)

        return at("photo_etag", look)

    def user(self, user: str) -> User:
        def look() -> User:
            if user not in self.users:
                self.looks[user].append(Look(self._clock(), current(), False, left=True))
                raise UnknownUser("Microsoft Graph knows no such user.")
            return self.users[user]

        return at("user", look)

    def users_of(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        unknown = UnknownUser("Microsoft Graph knows no such user.")
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
        def read() -> UserPage:
            number = int(path or 0)
            following = str(number + 1) if number + 1 < len(self.users) else ""
            return UserPage(list(self.users.values())[number : number + 1], following)

        return at("page", read)

    def _etag(self, user_id: str) -> str:
        if user_id not in self.users:
            raise UnknownUser("Microsoft Graph knows no such user.")
        if user_id in self.troubles:
            raise self.troubles[user_id]
        self.looks[user_id].append(Look(self._clock(), current(), user_id in self.photos))
        if user_id not in self.photos:
            raise NoPhoto("The user has no photo in Exchange.")
        return self._etags[user_id]

    def _etag_or_error(self, user_id: str) -> str | PhotoSyncError:
        try:
            return self._etag(user_id)
        except PhotoSyncError as error:
            return error


class SharePoint:
    """The target: of each user three files and the address that the profile shows."""

    def __init__(
        self, ticks: Callable[[], float], before_write: Callable[[str, bytes | None], None]
    ) -> None:
        self.files: dict[str, dict[int, bytes]] = defaultdict(dict)
        self.urls: dict[str, str] = defaultdict(str)
        self._ticks = ticks
        self._before_write = before_write

    def shows(self, user_id: str, photo: bytes | None) -> bool:
        if photo is None:
            return not self.files[user_id] and not self.urls[user_id]
        wanted = dict(enumerate(renditions(photo)))
        return self.files[user_id] == wanted and bool(self.urls[user_id])

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        location = PictureLocation("Profile Pictures", user.id)
        url = location.url("https://contoso-my.sharepoint.com")

        def plan() -> Plan:
            shown = self.urls[user.id] == url
            change = {TIMESTAMP: "now"} if shown else {"PictureURL": url, TIMESTAMP: "now"}
            return Plan(user.user_principal_name, location, url, change)

        return at("plan", plan)

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection:
        def look() -> Inspection:
            if not self.urls[user.id]:
                return Inspection("The profile shows no picture any more.")
            return inspected(self._there(user.id, files))

        return at("inspect", look)

    def damage(self, user_id: str, place: int) -> None:
        """What a stranger does: a file is lost or another picture's, or the profile shows none."""
        if place == 3:
            self.urls[user_id] = ""
        elif place == 2:
            self.files[user_id].pop(place)
        else:
            self.files[user_id][place] = b"a stranger's"

    def _there(self, user_id: str, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        there = [self.files[user_id].get(place, b"") for place in range(3)]
        return tuple(
            known if known.holds(content) else None
            for known, content in zip(wanted, there, strict=True)
        )

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        return at("find", lambda: self._there(plan.location.name, wanted))

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, not_after: float
    ) -> tuple[WrittenFile, ...]:
        user_id = plan.location.name
        self._before_write(user_id, renditions[0][2:])
        for place, content in enumerate(renditions):
            self._write(user_id, functools.partial(self._put, user_id, place, content), not_after)
        self._write(user_id, lambda: self._show(user_id, plan.picture_url), not_after)
        return tuple(map(WrittenFile.of, renditions))

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        location = PictureLocation("Profile Pictures", user.id)
        change = {"PictureURL": ""}
        return at("plan", lambda: Removal(user.user_principal_name, location, change))

    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal:
        return self.plan_removal(leaver, picture_url)

    def plan_withdrawal(self, user: User, picture_url: str, *, exists: bool) -> Removal:
        raise AssertionError("Nobody uninstalls PhotoSync here.")

    def remove(self, plan: Removal, *, not_after: float) -> None:
        assert plan.location
        user_id = plan.location.name
        self._before_write(user_id, None)
        self._write(user_id, lambda: self._show(user_id, ""), not_after)
        for place in range(3):
            self._write(user_id, functools.partial(self._recycle, user_id, place), not_after)

    def _write(self, user_id: str, effect: Callable[[], None], not_after: float) -> None:
        def begin() -> None:
            # A request ends within its limit: it may stand still before it, not in it.
            if self._ticks() > not_after:
                raise ClaimLost("Too little time was left.")
            effect()

        at("write", begin)

    def _put(self, user_id: str, place: int, content: bytes) -> None:
        self.files[user_id][place] = content

    def _show(self, user_id: str, url: str) -> None:
        self.urls[user_id] = url

    def _recycle(self, user_id: str, place: int) -> None:
        self.files[user_id].pop(place, None)
