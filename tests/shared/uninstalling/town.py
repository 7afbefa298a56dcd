"""A tenant whose PhotoSync is uninstalled: states, both queues, and a clock."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.errors import TryLater
from shared.storage import roster_entry
from shared.storage.roster_entry import Leaf
from shared.storage.user_state import FAILED, NOT_TAKEN_BACK, SYNCED, UserState
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.halt import Halt
from shared.uninstalling.uninstall import Uninstall
from shared.uninstalling.uninstall_log import NAME, RUNNING, UninstallLog, UninstallLogs
from tests.doubles.office import DelayedMessages, MemoryStore
from tests.shared.subscription.deployment import Deployment

URL = "https://contoso-my.sharepoint.com:443/User%20Photos/Profile%20Pictures/{}_MThumb.jpg"


def user(number: int) -> str:
    return f"{number:08}-0000-4000-8000-000000000000"


class States(MemoryStore):
    """A store that lists two users a page, by name, as blobs are listed."""

    def __init__(self) -> None:
        super().__init__()
        # What another run does between our read of a user and our deletion.
        self.before_delete: dict[str, Callable[[], object]] = {}

    def delete(self, user_id: str, *, version: str) -> None:
        self.before_delete.get(user_id, lambda: None)()
        super().delete(user_id, version=version)

    def leaf(self, token: str, size: int) -> Leaf:
        self._called()
        left = sorted(name for name in self.blobs if name > token)
        page = left[: min(size, 2)]
        described = [roster_entry.entry(each, roster_entry.describe(self[each])) for each in page]
        return Leaf(described, page[-1] if len(left) > len(page) else "")


class Messages(DelayedMessages):
    """A queue as a whole: each message with its delay."""

    def clear(self) -> None:
        self.messages.clear()

    def length(self) -> int:
        return len(self.messages)


class Town:
    """Some users with pictures of ours, and all that an uninstall needs."""

    def __init__(self, users: int = 5, *, dry_run: bool = False) -> None:
        self.here = Deployment()
        self.here.keep()
        self.clock, self.documents = self.here.clock, self.here.documents
        self.states, self.users, self.upkeep = States(), Messages(), Messages()
        self.states.clock = self.clock
        self.pictures: set[str] = set()
        for number in range(users):
            self.add(number)
        self.dry_run = dry_run
        self.halt = self.new_halt()
        self._ids = (f"id-{number}" for number in itertools.count(1))

    def new_halt(self) -> Halt:
        """The Halt of another process."""
        return Halt(UninstallLogs(self.documents), self.clock.ticks)

    def add(self, number: int, **fields: Any) -> str:
        """Add a user whom a run has copied."""
        id_ = user(number)
        known = {"status": SYNCED, "picture_url": URL.format(id_), "synced_at": self.clock.now}
        self.states.put(UserState(id_, **{**known, **fields}))
        self.pictures.add(id_)
        return id_

    @property
    def uninstall(self) -> Uninstall:
        """A new instance, which knows only what is in storage."""
        return Uninstall(
            UninstallLogs(self.documents),
            self.halt,
            self.here.keeper,
            self.states,
            UserQueue(self.users, clock=self.clock, new_id=self._ids.__next__),
            self.users,
            self.upkeep,
            dry_run=self.dry_run,
            clock=self.clock,
            new_id=self._ids.__next__,
        )

    @property
    def log(self) -> UninstallLog:
        found = self.uninstall.latest()
        assert found
        return found

    def order(self, *, remove: bool = False) -> UninstallLog:
        return self.uninstall.order(remove_pictures=remove, expected=len(self.states.blobs))

    def step(self) -> dict[str, Any]:
        """Let the delay of the oldest upkeep message pass, and process it."""
        fields, delay = self.upkeep.messages.pop(0)
        self.clock.advance(timedelta(seconds=delay))
        if fields["kind"] == "uninstall":
            self.uninstall.process(fields["uninstallId"], fields["page"])
        return fields

    def work(self, serve: Callable[[str], None] | None = None) -> None:
        """Process the messages about users."""
        for message in [*self.users.messages]:
            self.users.messages.remove(message)
            (serve or self.remove)(message[0]["userId"])

    def remove(self, user_id: str) -> None:
        self.pictures.discard(user_id)
        self.states.blobs.pop(user_id, None)

    def refuse(self, user_id: str) -> None:
        """Write the state that the worker leaves if it cannot remove a picture."""
        failed = replace(self.states[user_id], status=FAILED, reason=NOT_TAKEN_BACK)
        named = replace(failed, detail="No right.", user_principal_name="anne@contoso.com")
        self.states.put(named)

    def run(
        self, serve: Callable[[str], None] | None = None, *, until: Callable[[], bool] | None = None
    ) -> UninstallLog:
        """Process both queues until the uninstall has ended."""
        for _ in range(1000):
            self.work(serve)
            if self.log.status != RUNNING or (until and until()):
                return self.log
            fields, _ = self.upkeep.messages[0]
            try:
                self.step()
            except TryLater as error:
                self.upkeep.messages.append((fields, error.retry_after or 10.0))
        raise AssertionError(f"It does not end: {self.documents.blobs[NAME]}")

    @property
    def is_clean(self) -> bool:
        """Whether neither states nor a subscription are left."""
        return not self.states.blobs and not self.here.graph.live
