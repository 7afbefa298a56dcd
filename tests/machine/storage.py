"""Blobs with versions, and queues as the host processes them; all in memory."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.errors import Conflict
from shared.storage import cover, roster_entry, user_state
from shared.storage.documents import Document
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import Stored, UserState
from shared.user import is_object_id
from tests.machine.jobs import Job, at, current

# host.json: maxDequeueCount, and visibilityTimeout, after which a message is visible again if its
# run raised or its worker died. If the host died, its lock must expire first (facts/functions.md).
TRIES = 5
AFTER_ERROR, LOCK = timedelta(seconds=30), timedelta(minutes=10)


class Blobs:
    """Texts by name. There is no unconditional write."""

    def __init__(self, ticks: Callable[[], float] = lambda: 0.0) -> None:
        self.texts: dict[str, tuple[bytes, str, float]] = {}
        # The run that last wrote each blob.
        self.writers: dict[str, Job | None] = {}
        self._ticks = ticks
        self.unreadable: list[bytes] = []
        self._versions = itertools.count(1)

    def write(self, name: str, text: bytes, version: str | None) -> str:
        def effect() -> str:
            known = self.texts.get(name)
            if version != (known and known[1]):
                raise Conflict("Another run wrote this blob first.")
            self.texts[name] = text, f"v{next(self._versions)}", self._ticks()
            self.writers[name] = current()
            return self.texts[name][1]

        return at("write blob", effect)

    def age(self, name: str) -> timedelta:
        """How long ago a blob that is there was written."""
        return timedelta(seconds=self._ticks() - self.texts[name][2])

    def delete(self, name: str, version: str) -> None:
        def effect() -> None:
            known = self.texts.get(name)
            if known and known[1] != version:
                raise Conflict("Another run wrote this blob first.")
            self.texts.pop(name, None)

        at("write blob", effect)

    def users(self) -> list[Entry]:
        """The metadata of all states."""

        def effect() -> list[Entry]:
            users = {each: text for each, (text, *_) in self.texts.items() if is_object_id(each)}
            return [_entry(each, text) for each, text in sorted(users.items())]

        return at("list blobs", effect)

    def put(self, name: str, content: bytes) -> None:
        """Write unconditionally: only one run writes a blob of this name."""

        def effect() -> None:
            self.texts[name] = content, f"v{next(self._versions)}", self._ticks()

        at("write blob", effect)

    def drop(self, name: str) -> None:
        at("write blob", lambda: self.texts.pop(name, None))

    def read(self, name: str) -> tuple[bytes, str, float] | None:
        """The text, its version, and its age in seconds."""

        def effect() -> tuple[bytes, str, float] | None:
            known = self.texts.get(name)
            return known and (*known[:2], self._ticks() - known[2])

        return at("read blob", effect)


# Each sweep and audit lists all of them, and few have changed.
@functools.lru_cache(maxsize=1000)
def _entry(user_id: str, text: bytes) -> Entry:
    state = user_state.from_json(user_id, text)
    metadata = roster_entry.describe(state) | cover.describe(state, text)
    return roster_entry.entry(user_id, metadata, cover.digest(text))


class MemoryStates:
    """A Store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def read(self, user_id: str) -> Stored | None:
        found = self._blobs.read(user_id)
        if not found:
            return None
        text, version, age = found
        return Stored(user_state.from_json(user_id, text, age=age), version)

    def create(self, new: UserState) -> str:
        return self._blobs.write(new.user_id, user_state.to_json(new), None)

    def replace(self, new: UserState, *, version: str) -> str:
        return self._blobs.write(new.user_id, user_state.to_json(new), version)

    def delete(self, user_id: str, *, version: str) -> None:
        self._blobs.delete(user_id, version)

    def leaf(self, token: str, size: int) -> Leaf:
        """As storage lists blobs: by name; its token is the last one listed."""
        found = [each for each in self._blobs.users() if each.user_id > token]
        return Leaf(found[:size], found[size - 1].user_id if len(found) > size else "")

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        self._blobs.unreadable.append(body)


class MemoryDocuments:
    """Documents."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def read(self, name: str) -> Document | None:
        found = self._blobs.read(name)
        return Document(json.loads(found[0]), found[1]) if found else None

    def write(self, name: str, fields: Mapping[str, object], *, after: Document | None) -> Document:
        text = json.dumps(fields).encode()
        return Document(dict(fields), self._blobs.write(name, text, after and after.version))

    def delete(self, name: str, *, after: Document) -> None:
        self._blobs.delete(name, after.version)

    def put_part(self, name: str, content: bytes) -> None:
        self._blobs.put(name, content)

    def part(self, name: str) -> bytes | None:
        found = self._blobs.read(name)
        return found[0] if found else None

    def drop_part(self, name: str) -> None:
        self._blobs.drop(name)


@dataclass(eq=False)
class Message:
    """One message of a queue, visible to the host from `visible_at` on."""

    body: str
    visible_at: datetime
    tries: int = 0
    locked: bool = False


class MemoryQueue:
    """A storage queue with the host at its other end."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        seen: Callable[[Message], object] = lambda message: None,
    ) -> None:
        """*seen* gets each message that becomes visible to the host, now or later."""
        self.messages: list[Message] = []
        self.poison: list[str] = []
        self._clock = clock
        self._seen = seen

    def send(self, text: str, *, delay_seconds: float) -> None:
        at("send", lambda: self.put(text, delay_seconds))

    def put(self, text: str, delay_seconds: float = 0) -> None:
        moment = self._clock() + timedelta(seconds=delay_seconds)
        self.messages.append(Message(text, moment))
        self._seen(self.messages[-1])

    def visible(self) -> list[Message]:
        return [each for each in self.messages if self.is_visible(each)]

    def is_visible(self, message: Message) -> bool:
        """Whether the host may take it now."""
        is_there = message in self.messages
        return is_there and not message.locked and message.visible_at <= self._clock()

    def take(self, message: Message) -> None:
        message.locked = True
        message.tries += 1

    def done(self, message: Message) -> None:
        # An admin may have cleared the queue meanwhile.
        if message in self.messages:
            self.messages.remove(message)

    def failed(self, message: Message, *, with_host: bool = False) -> None:
        """The run raised, or its worker or host died: the message is visible again, or poison."""
        message.locked = False
        message.visible_at = self._clock() + (LOCK if with_host else AFTER_ERROR)
        if message not in self.messages:
            return
        if message.tries >= TRIES:
            self.messages.remove(message)
            self.poison.append(message.body)
        else:
            self._seen(message)
