"""An audit with all its stores in memory."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.auditing.audit import Audit, Terms
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.auditing.checker import PictureChecker
from shared.auditing.repairs import Repairs
from shared.messages import sync_message, upkeep_message
from shared.messages.upkeep_message import UpkeepMessage
from shared.sharepoint.inspection import Inspection
from shared.storage.user_state import SYNCED, UserState
from shared.sweeping.user_queue import UserQueue
from shared.user import User
from shared.written_file import WrittenFile
from tests.machine.storage import Blobs, MemoryDocuments, MemoryQueue, MemoryStates

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FILES = tuple(WrittenFile.of(each, f"etag of {each!r}") for each in (b"s", b"m", b"l"))
DAMAGE = "The profile shows no picture any more."


def id_of(number: int) -> str:
    return f"0a000000-0000-4000-8000-{number:012}"


def synced(number: int, **fields: object) -> UserState:
    known = UserState(
        id_of(number),
        user_principal_name=f"user{number}@contoso.com",
        status=SYNCED,
        sha256="a hash",
        picture_url="https://contoso-my.sharepoint.com/…",
        files=FILES,
    )
    return replace(known, **fields)  # type: ignore[arg-type]


class Auditing:
    """Audits of *users*; SharePoint shows what is in `found`, and our picture for all others."""

    def __init__(self, users: int, *, size: int = 10, days: int = 7, **terms: bool) -> None:
        self.now = NOON
        self.found: dict[str, Inspection | Exception] = {}
        self.checked: list[str] = []
        self.wait = 0.0
        # What happens during the next checks, which several threads make.
        self.meanwhile: Iterator[Callable[[], object]] = iter(())
        self.blobs = Blobs(lambda: (self.now - NOON).total_seconds())
        self.states = MemoryStates(self.blobs)
        self.documents = MemoryDocuments(self.blobs)
        self.logs = AuditLogs(self.documents)
        self.users, self.upkeep = MemoryQueue(self.clock), MemoryQueue(self.clock)
        for number in range(users):
            self.states.create(synced(number))
        ids = (f"{number:08d}" for number in itertools.count(1))
        self.audit = Audit(
            self.states,
            PictureChecker(self.states, self),
            self.logs,
            Repairs(
                self.logs,
                UserQueue(self.users, clock=self.clock, new_id=ids.__next__),
                self.upkeep,
                clock=self.clock,
            ),
            self.upkeep,
            self.states,
            Terms(
                days=days,
                repair=terms.get("repair", True),
                dry_run=terms.get("dry_run", False),
                size=size,
                wait_for=lambda calls: self.wait,
            ),
            clock=self.clock,
            new_id=ids.__next__,
        )

    def clock(self) -> datetime:
        return self.now

    def inspect(self, user: User, picture_url: str, files: Sequence[WrittenFile]) -> Inspection:
        next(self.meanwhile, lambda: None)()
        self.checked.append(user.id)
        found = self.found.get(user.id, Inspection("", tuple(files)))
        if isinstance(found, Exception):
            raise found
        return found

    def damage(self, *numbers: int) -> None:
        self.found |= {id_of(number): Inspection(DAMAGE) for number in numbers}

    def state(self, number: int) -> UserState:
        stored = self.states.read(id_of(number))
        assert stored
        return stored.state

    def write(self, state: UserState) -> None:
        """Replace the state, as a run or a person may."""
        stored = self.states.read(state.user_id)
        assert stored
        self.states.replace(state, version=stored.version)

    def edit(self, audit_id: str, fields: dict[str, object]) -> None:
        """Change the blob of an audit, as a person may."""
        name = f"audits/{audit_id}.json"
        document = self.documents.read(name)
        assert document
        self.documents.write(name, {**document.fields, **fields}, after=document)

    def written(self, audit_id: str) -> AuditLog:
        found = self.logs.read(audit_id)
        assert found
        return found[0]

    @property
    def log(self) -> AuditLog:
        newest, _ = self.logs.latest()
        assert newest
        return newest

    def due(self) -> UpkeepMessage | None:
        """Take the next message from the queue."""
        for message in self.upkeep.visible()[:1]:
            self.upkeep.messages.remove(message)
            return upkeep_message.parse(message.body.encode(), now=self.now)
        return None

    def process(self) -> int:
        """Process all queued messages; returns their number."""
        for number in itertools.count():
            message = self.due()
            if message is None:
                return number
            if message.kind == upkeep_message.REPAIRS:
                self.audit.repairs.queue(message.audit_id)
            else:
                self.audit.process(message.audit_id, message.page)
        raise AssertionError

    def run(self, *, repair: bool = True) -> int:
        """Order an audit and process all its messages; returns their number."""
        self.audit.order(repair=repair)
        return self.process()

    def wake(self, after: timedelta = HOUR) -> int:
        """Let the timer fire, and process what it queues."""
        self.now += after
        self.audit.wake()
        return self.process()

    def repaired(self) -> list[int]:
        """The users sent to the worker, in order; the queue is empty then."""
        found = [
            sync_message.parse(each.body.encode(), now=self.now, correlation_id="x")
            for each in self.users.visible()
        ]
        self.users.messages.clear()
        assert {each.reason for each in found} <= {"audit"}
        return sorted(int(each.user_id[-12:]) for each in found)

    def lose_message(self) -> None:
        [message] = self.upkeep.messages
        assert json.loads(message.body)["kind"] == upkeep_message.AUDIT_PAGE
        self.upkeep.messages.clear()
