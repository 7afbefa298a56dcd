"""A console and everything behind it, in memory."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from shared import moments
from shared.auditing.audit import Audit
from shared.auditing.audit_log import AuditLog
from shared.console.api import Console
from shared.console.card import Rules
from shared.console.comparison import SAME, UNASKED, Difference, PictureComparison, UnreadSide
from shared.console.lookup import UserLookup
from shared.console.ordering import Chains, Queues
from shared.console.roster import Roster
from shared.errors import PhotoSyncError
from shared.signature import KEY, Signature
from shared.storage.roster_entry import COPY, REMOVAL, Entry, Leaf
from shared.storage.unreadable import SetAside
from shared.storage.user_state import FAILED, Stored, UserState
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.halt import Halt
from shared.uninstalling.uninstall import States, Uninstall, Waiting
from shared.uninstalling.uninstall_log import UninstallLogs
from shared.user import User
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.memory_lines import MemoryLines, in_memory
from tests.doubles.office import ANNE, NOON, Clock, DelayedMessages, Exchange, MemoryStore

# For tests in which it does not matter who gives the order.
BY = Signature(KEY)
RULES = Rules(
    dry_run=True,
    removes=True,
    forget_after=timedelta(days=30),
    repairs=True,
    audit_days=7,
    replaces=False,
)
# A release of removals releases 21.
SWEEP = SimpleNamespace(removals=SimpleNamespace(release=lambda: 21))
LENGTHS = {"photo-sync": 3, "photo-sync-poison": 0}
ENTRY = Entry("id", "anne@contoso.com", "Anne", FAILED, "refused", "Broken.", "2026", "2025")


class Kept:
    """States, their metadata, and messages set aside."""

    def __init__(self) -> None:
        self.states = MemoryStore()
        self.entries: list[Entry] = []
        self.aside: list[dict[str, str]] = []

    def read(self, user_id: str) -> Stored | None:
        return self.states.read(user_id)

    def leaf(self, token: str, size: int) -> Leaf:
        return Leaf(self.entries, "")

    def unreadable(self, limit: int, after: datetime | None = None) -> SetAside:
        found = [each for each in self.aside if not after or moments.read(each["at"]) > after]
        return SetAside(len(found), found[:limit])


class Looks:
    """The result of reading both sides, as a test sets it."""

    def __init__(self) -> None:
        self.seen: list[UserState | None] = []
        self.finding = SAME

    def compare(
        self, user: User, known: UserState | None, *, exchange_error: PhotoSyncError | None
    ) -> Difference:
        self.seen = [known]
        if exchange_error:
            unasked = (UnreadSide("exchange", str(exchange_error), 38.0),)
            return Difference(UNASKED, None, "Unknown.", {"PictureURL": ""}, unasked)
        chosen = "https://cdn.contoso.com/anne.jpg" if known else ""
        return Difference(self.finding, True, "They agree.", {"PictureURL": ""}, chosen=chosen)

    def exchange(self, user: User, *, small: bool) -> bytes:
        return b"small " * small + b"exchange of " + user.user_principal_name.encode()

    def sharepoint(self, user: User, known: UserState | None, *, small: bool) -> bytes:
        return b"small " * small + b"sharepoint"


class Audits:
    """Records the orders; a release of repairs releases 34."""

    repairs = SimpleNamespace(release=lambda: 34)

    def __init__(self) -> None:
        self.ordered: list[bool] = []

    def order(self, *, repair: bool) -> AuditLog:
        self.ordered.append(repair)
        return AuditLog("an-audit", NOON.isoformat(), NOON.isoformat(), everybody=True)


class Found:
    """The users whom Graph finds, and the texts that it was asked for."""

    def __init__(self) -> None:
        self.users: list[User] = []
        self.asked: list[str] = []
        self.error: PhotoSyncError | None = None

    def search(self, text: str) -> list[User]:
        self.asked.append(text)
        if self.error:
            raise self.error
        return self.users

    addressed = search


class Desk:
    """A console and everything behind it."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.audits = Audits()
        self.kept, self.looks, self.documents = Kept(), Looks(), MemoryDocuments()
        self.users, self.upkeep = DelayedMessages(), DelayedMessages()
        self.exchange = Exchange()
        self.lines, self.clock, self.search = MemoryLines(), Clock(), Found()
        ids = itertools.chain(["an-id"], (f"an-id-{number}" for number in itertools.count(2)))
        self.halt = Halt(UninstallLogs(self.documents), lambda: 0.0)
        self.uninstall = self._uninstall()
        self.console = Console(
            Roster(self.kept),
            cast("PictureComparison", self.looks),
            self.kept,
            self.documents,
            UserLookup(self.exchange, self.search, self.kept, Roster(self.kept)),
            Chains(cast("Sweep", SWEEP), cast("Audit", self.audits), self.uninstall),
            Queues(self.users, self.upkeep, lambda: LENGTHS),
            in_memory(self.clock, self.lines),
            groups={"SYNC_GROUP_ID": "a-group"},
            changes={COPY, REMOVAL},
            rules=rules,
            clock=Clock(),
            new_id=lambda: next(ids),
        )

    def _uninstall(self) -> Uninstall:
        return Uninstall(
            UninstallLogs(self.documents),
            self.halt,
            cast(
                "Any", None
            ),  # The console does not carry out its orders: it ends no subscription.
            cast("States", self.kept),
            UserQueue(self.users, clock=Clock(), new_id=str),
            cast("Waiting", self.users),
            self.upkeep,
            dry_run=False,
            clock=Clock(),
            new_id=lambda: "an-id",
        )

    def order(
        self, kind: str, order: Mapping[str, Any] | None = None, *, by: Signature = BY
    ) -> dict[str, Any]:
        """Give an order; a replay is about Anne."""
        about = [ANNE.id] if kind == "replay" else []
        answer: dict[str, Any] = getattr(self.console.orders, kind)(*about, order or {}, by=by)
        return answer

    def log_sweep(self, **fields: Any) -> None:
        at = NOON.isoformat()
        SweepLogs(self.documents).begin(SweepLog("one", at, at, **fields), None)
