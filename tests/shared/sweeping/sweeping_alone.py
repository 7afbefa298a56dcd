"""Sweeps whose stores are in memory: of pages with given results, or of a small tenant."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import PhotoSyncError
from shared.graph.user_listing import UserPage
from shared.messages import sync_message
from shared.messages.sync_message import SyncMessage
from shared.sweeping.fill import Fill
from shared.sweeping.fill_log import FillLog, FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.snapshot import Snapshot, SnapshotParts
from shared.sweeping.state_page import Progress, StatePage
from shared.sweeping.sweep import Listing, Pages, States, Sweep
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.sweep_page import PageResult
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.user import User
from tests.machine.storage import Blobs, MemoryDocuments, MemoryQueue, MemoryStates

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# This many users of a page never wait for a fill.
FEW = 20


class Stores:
    """What all instances of the app share, and a clock."""

    def __init__(self) -> None:
        self.now = NOON
        self.meanwhile: Callable[[], None] = lambda: None
        self.blobs = Blobs()
        self.documents = MemoryDocuments(self.blobs)
        self.logs, self.fills = SweepLogs(self.documents), FillLogs(self.documents)
        self.pace = Pace(15_000)
        self.users, self.upkeep = MemoryQueue(self.clock), MemoryQueue(self.clock)
        self._ids = itertools.count(1)
        self.queue = UserQueue(self.users, clock=self.clock, new_id=self.new_id)

    def clock(self) -> datetime:
        return self.now

    def new_id(self) -> str:
        return f"{next(self._ids):08d}-0000"

    def sweep_over(
        self,
        listing: Listing,
        pages: Pages,
        state_pages: States,
        states: MemoryStates,
        *,
        pages_a_run: int,
        few: int,
    ) -> Sweep:
        turns = Turns(
            *(self.fills, self.queue, self.upkeep),
            pace=lambda: self.pace,
            clock=self.clock,
            few=few,
        )
        return Sweep(
            *(listing, pages, state_pages, self.logs, SnapshotParts(self.documents), self.queue),
            *(turns, self.upkeep, states),
            clock=self.clock,
            new_id=self.new_id,
            pages_a_run=pages_a_run,
        )

    @property
    def log(self) -> SweepLog:
        newest, _ = self.logs.latest()
        assert newest
        return newest

    def edit(self, **fields: Any) -> None:
        """Change fields of the sweep's log, as a person may."""
        found = self.logs.read(self.log.id)
        assert found
        self.logs.write(replace(found[0], **fields), after=found[1])


class StatePages:
    """Pages of states with given results; `asked` records each call."""

    def __init__(self) -> None:
        self.results = [states()]
        self.asked: list[tuple[str, str, int]] = []

    def check(self, token: str, progress: Progress, snapshot: Snapshot) -> StatePage:
        self.asked.append((token, progress.asked_to, progress.to_ask))
        return self.results[int(token or 0)]


class Sweeping(Stores):
    """
    A sweep over *pages* of users, each a PageResult or an error.

    One page of states follows, on which nothing is found unless `state_pages` says otherwise.
    """

    def __init__(
        self, *pages: PageResult | PhotoSyncError, pages_a_run: int = 1, few: int = FEW
    ) -> None:
        super().__init__()
        self.results = list(pages)
        self.state_pages = StatePages()
        self.meanwhile_filling: Callable[[], None] = lambda: None
        self.states = MemoryStates(Blobs(lambda: (self.now - NOON).total_seconds()))
        self.sweep = self.sweep_over(
            *(self, self, self.state_pages, self.states), pages_a_run=pages_a_run, few=few
        )
        self.filling = Fill(
            *(self.fills, self.logs, self.queue, self.upkeep),
            pace=lambda: self.pace,
            waiting=self.waiting,
            clock=self.clock,
        )

    def page(self, path: str = "") -> UserPage:
        self._number = int(path or 0)
        following = str(self._number + 1) if self._number + 1 < len(self.results) else ""
        return UserPage([], following)

    def check(self, users: Sequence[User]) -> PageResult:
        self.meanwhile()
        result = self.results[self._number]
        if isinstance(result, PhotoSyncError):
            raise result
        return result

    def waiting(self) -> int:
        self.meanwhile_filling()
        return len(self.users.messages)

    @property
    def fill(self) -> FillLog:
        newest, _ = self.fills.latest()
        assert newest
        return newest

    def queued(self) -> list[tuple[str, str]]:
        """User and reason of each message to the worker."""
        messages = [json.loads(each.body) for each in self.users.messages]
        return sorted((each["userId"], each["reason"]) for each in messages)

    def messages(self) -> list[SyncMessage]:
        """The messages to the worker, as it reads them."""
        bodies = [{**json.loads(each.body), "userId": "a@b.c"} for each in self.users.messages]
        return [
            sync_message.parse(json.dumps(body).encode(), now=self.now, correlation_id="unused")
            for body in bodies
        ]

    def orders(self) -> list[tuple[str, int]]:
        """Kind and page of each message to upkeep, which are removed."""
        messages = [json.loads(each.body) for each in self.upkeep.messages]
        self.upkeep.messages.clear()
        return [(each["kind"], each.get("page", 0)) for each in messages]

    def start(self, *, pages: int = 0) -> str:
        """Start a sweep, process so many pages, and remove the messages to upkeep."""
        self.sweep.start()
        for page in range(1, pages + 1):
            self.process(page)
        self.orders()
        return self.log.id

    def process(self, page: int) -> None:
        self.sweep.process(self.log.id, page)

    def run(self) -> None:
        """A whole sweep, up to its removals."""
        self.start()
        self.run_on()
        self.orders()

    def run_on(self) -> None:
        """All pages that are left."""
        while self.log.status == "running":
            self.process(self.log.page)

    def remove(self) -> None:
        """Process the message that queues the removals."""
        self.sweep.removals.queue(self.log.id)


def states(**fields: Any) -> StatePage:
    """A page of states; *next* is the number of the next one."""
    return StatePage(**{"due": [], "moved": [], "asked": 0, "asked_to": "", "next": "", **fields})


def result(**fields: Any) -> PageResult:
    return PageResult(
        **{"users": 1, "in_scope": 1, "managed": 1, "queue": [], "gone": [], **fields}
    )


def with_room(users: int) -> Pace:
    """The pace of a tenant whose limits allow so many *users* a minute."""
    return next(pace for calls in itertools.count(1) if (pace := Pace(calls)).a_minute == users)
