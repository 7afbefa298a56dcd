"""Doubles for everything around the worker, which follow the relevant rules; no mocks."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from shared.at_once import AtOnce, sequentially
from shared.copying.outcome import Outcome
from shared.copying.run import Policy
from shared.copying.sync import Sync
from shared.copying.worker import Worker
from shared.errors import Conflict, NoPhoto, PictureKept, UnknownUser
from shared.graph.client import Fetched, ScaledPhoto
from shared.pictures.recipe import Recipe
from shared.pictures.sizes import SUFFIXES
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import Plan, Removal
from shared.storage import user_state
from shared.storage.user_state import Stored, UserState
from shared.telemetry.calls import note
from shared.user import User
from shared.written_file import WrittenFile
from tests.doubles import web
from tests.doubles.halt import Halting
from tests.doubles.memory_lines import MemoryLines, in_memory

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ANNE = User(
    "0a000000-0000-4000-8000-000000000001",
    "anne@contoso.com",
    account_enabled=True,
    is_guest=False,
    display_name="Anne Bell",
)


class Clock(web.Clock):
    """It begins at this module's NOON."""

    def __init__(self, now: datetime = NOON) -> None:
        super().__init__(now)


class MemoryStore:
    """
    A Store that keeps versions as conditional blob writes do, and the blobs as text.

    `after_read` is what happens between a read and the write that follows.
    """

    def __init__(self) -> None:
        self.clock = Clock()
        self.after_read: Callable[[], None] = lambda: None
        self.blobs: dict[str, tuple[bytes, str, datetime]] = {}
        self.unreadable: dict[str, tuple[bytes, str]] = {}
        self.error: Exception | None = None
        self._versions = itertools.count(1)

    def read(self, user_id: str) -> Stored | None:
        self._called()
        known = user_id in self.blobs
        found = Stored(self[user_id], self.blobs[user_id][1]) if known else None
        self.after_read()
        return found

    def create(self, new: UserState) -> str:
        self._called()
        if new.user_id in self.blobs:
            raise Conflict("There is a state already.")
        return self.put(new)

    def replace(self, new: UserState, *, version: str) -> str:
        self._called()
        if new.user_id not in self.blobs or self.blobs[new.user_id][1] != version:
            raise Conflict("The state has moved on.")
        return self.put(new)

    def delete(self, user_id: str, *, version: str) -> None:
        self._called()
        if user_id in self.blobs and self.blobs[user_id][1] != version:
            raise Conflict("The state has moved on.")
        self.blobs.pop(user_id, None)

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        self._called()
        self.unreadable[name] = (body, reason)

    def put(self, new: UserState) -> str:
        """Write without condition; only for tests."""
        version = f"version-{next(self._versions)}"
        self.blobs[new.user_id] = (user_state.to_json(new), version, self.clock.now)
        return version

    def __getitem__(self, user_id: str) -> UserState:
        text, _, written_at = self.blobs[user_id]
        age = (self.clock.now - written_at).total_seconds()
        return user_state.from_json(user_id, text, age=age)

    def _called(self) -> None:
        note("blob")
        if self.error:
            raise self.error


class Exchange:
    """The source: every upload has a new etag, even with identical bytes."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {ANNE.id: ANNE}
        self.photos: dict[str, tuple[bytes, str]] = {}
        self.scaled: dict[str, bytes] = {}
        self.error: Exception | None = None
        self.after_look: Callable[[], None] = lambda: None
        self.after_copy: Callable[[], None] = lambda: None
        self.etag_after = True
        self._etags = itertools.count(1)

    def upload(self, photo: bytes, user_id: str = ANNE.id) -> None:
        self.photos[user_id] = (photo, f'W/"{next(self._etags)}"')

    def delete(self, user_id: str = ANNE.id) -> None:
        del self.photos[user_id]

    def leave(self, user_id: str = ANNE.id) -> None:
        """Delete a user, who can be restored with the photo."""
        del self.users[user_id]

    def photo_etag(self, user: str) -> str:
        self._called()
        _, etag = self._photo(user)
        self.after_look()
        return etag

    def user_and_photo(self, user_id: str) -> Fetched:
        note("graph")
        self._called()
        photo, _ = self._photo(user_id)
        self.after_copy()
        _, etag = self.photos.get(user_id, (b"", ""))
        return Fetched(self.users[user_id], photo, etag if self.etag_after else "")

    def scaled_photo(self, user_id: str) -> ScaledPhoto:
        self._called()
        if user_id not in self.scaled:
            raise NoPhoto("Exchange has no smaller rendition of the photo.")
        self.after_copy()
        return ScaledPhoto(self.scaled[user_id], self.photos.get(user_id, (b"", ""))[1])

    def user(self, user: str) -> User:
        self._called()
        for known in self.users.values():
            if user in {known.id, known.user_principal_name}:
                return known
        raise UnknownUser("Microsoft Graph has no such user.")

    def _photo(self, user_id: str) -> tuple[bytes, str]:
        if user_id not in self.users:
            raise UnknownUser("Microsoft Graph has no such user.")
        if user_id not in self.photos:
            raise NoPhoto("The user has no photo in Exchange.")
        return self.photos[user_id]

    def _called(self) -> None:
        note("graph")
        if self.error:
            raise self.error


class SharePoint:
    """The target: three files and the profile's properties of each user."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.properties: dict[str, dict[str, str]] = {}
        self.plan_error: Exception | None = None
        self.withdraws_from: list[bool] = []  # of each plan, whether Graph has the user
        self.my_url = "https://contoso-my.sharepoint.com"
        # Called at the write with this number, counted from 1 in each publish or removal.
        self.at_write: dict[int, Callable[[], None]] = {}
        self.writes = 0

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        note("sharepoint")
        if self.plan_error:
            raise self.plan_error
        location = PictureLocation("Profile Pictures", user.id)
        url = location.url(self.my_url)
        if self.shown(user) not in {"", url, picture_url} and not replace:
            raise PictureKept("Somebody has set another picture.")
        differs = self.shown(user) != url
        changes = {"PictureURL": url} if differs else {"SPS-PictureTimestamp": "now"}
        return Plan(user.user_principal_name, location, url, changes)

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        note("sharepoint")
        files = {name: content for each in self.files.values() for name, content in each.items()}
        there = [files.get(name) for name in plan.location.files]
        return tuple(
            replace(known, etag=etag_of(content)) if content and known.holds(content) else None
            for content, known in zip(there, wanted, strict=True)
        )

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]:
        files = self.files.setdefault(plan.upn, {})
        for number, (name, content) in enumerate(zip(plan.location.files, renditions, strict=True)):
            self._begin(number + 1, before_write)
            files[name] = content
        for number, (key, value) in enumerate(plan.changes.items()):
            self._begin(number + 4, before_write)
            self.properties.setdefault(plan.upn, {})[key] = value
        return tuple(WrittenFile.of(content, etag_of(content)) for content in renditions)

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        note("sharepoint")
        if self.plan_error:
            raise self.plan_error
        location = PictureLocation("Profile Pictures", user.id)
        if self.shown(user) not in {"", picture_url}:
            return Removal(user.user_principal_name, location, {}, kept="Another picture.")
        return Removal(user.user_principal_name, location, {"PictureURL": ""})

    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal:
        return self.plan_removal(leaver, picture_url)

    def plan_withdrawal(self, user: User, picture_url: str, *, exists: bool) -> Removal:
        self.withdraws_from.append(exists)
        return self.plan_removal(user, picture_url)

    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None:
        assert plan.location
        for number, (key, value) in enumerate(plan.changes.items()):
            self._begin(number + 1, before_write)
            self.properties.setdefault(plan.upn, {})[key] = value
        files = self.files.get(plan.upn, {})
        for number, name in enumerate(plan.location.files):
            self._begin(number + 2, before_write)
            files.pop(name, None)

    def shown(self, user: User) -> str:
        """The user's PictureURL."""
        return self.properties.get(user.user_principal_name, {}).get("PictureURL", "")

    def _begin(self, number: int, before_write: Callable[[], None]) -> None:
        self.at_write.get(number, lambda: None)()
        before_write()
        note("sharepoint")
        self.writes += 1


class DelayedMessages:
    """Queue `photo-sync` as a worker writes to it: each message with its delay."""

    def __init__(self) -> None:
        self.messages: list[tuple[dict[str, Any], float]] = []
        self.error: Exception | None = None

    def send(self, text: str, *, delay_seconds: float) -> None:
        if self.error:
            raise self.error
        self.messages.append((json.loads(text), delay_seconds))


def etag_of(content: bytes) -> str:
    """The etag of a file of these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:8]}"'


def failing(error: BaseException) -> Callable[..., NoReturn]:
    """A function that raises *error*, whatever it is given."""

    def fail(*args: object, **named: object) -> NoReturn:
        raise error

    return fail


def render(photo: bytes) -> tuple[bytes, bytes, bytes]:
    return b"S:" + photo, b"M:" + photo, b"L:" + photo


@dataclass
class Office:
    """A worker with one user, Anne, and doubles for everything around it."""

    clock: Clock = field(default_factory=Clock)
    exchange: Exchange = field(default_factory=Exchange)
    store: MemoryStore = field(default_factory=MemoryStore)
    queue: DelayedMessages = field(default_factory=DelayedMessages)
    recipe: Recipe = field(default_factory=lambda: Recipe("48,72,300", 1, render))
    policy: Policy = field(default_factory=Policy)
    halt: Halting = field(default_factory=Halting)
    lines: MemoryLines = field(default_factory=MemoryLines)
    check_scope: Callable[[User], None] = lambda user: None
    at_once: AtOnce = sequentially

    def __post_init__(self) -> None:
        self.sharepoint = SharePoint()
        self.store.clock = self.clock
        self._ids = (f"correlation-{number}" for number in itertools.count(1))

    @property
    def sync(self) -> Sync:
        return Sync(
            self.exchange,
            self.sharepoint,
            self.store,
            self.recipe,
            self.policy,
            check_scope=self.check_scope,
            at_once=self.at_once,
            clock=self.clock,
            ticks=self.clock.ticks,
        )

    @property
    def worker(self) -> Worker:
        return Worker(
            self.sync,
            self.exchange,
            self.store,
            self.queue,
            self.halt,
            in_memory(self.clock, self.lines),
            clock=self.clock,
            ticks=self.clock.ticks,
            jitter=lambda: 0.0,
            new_id=lambda: next(self._ids),
        )

    def process(self, body: str = ANNE.id, *, redelivered: bool = False) -> Outcome:
        return self.worker.process(body.encode(), redelivered=redelivered)

    def process_waiting(self) -> Outcome:
        """Advance the clock to the oldest delayed message, and process it."""
        fields, delay = self.queue.messages.pop(0)
        self.clock.advance(timedelta(seconds=delay))
        return self.process(json.dumps(fields))

    @property
    def anne(self) -> UserState:
        return self.store[ANNE.id]

    def change(self, **fields: Any) -> None:
        """Change Anne's state from outside, as another instance or an admin may."""
        self.store.put(replace(self.anne, **fields))

    def shows(self, photo: bytes) -> bool:
        """Whether Anne's three files are made from *photo*, and the profile names them."""
        files = self.sharepoint.files.get(ANNE.user_principal_name, {})
        made = tuple(files.get(ANNE.id + suffix) for suffix in SUFFIXES)
        return made == render(photo) and self.sharepoint.shown(ANNE) != ""

    def shows_nothing(self) -> bool:
        """Whether Anne has no files, and the profile names none."""
        files = self.sharepoint.files.get(ANNE.user_principal_name, {})
        return files == {} and self.sharepoint.shown(ANNE) == ""
