"""A console and all that is behind it, in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from shared.console.api import Console, Orders
from shared.console.comparison import Difference, Sides, Unasked
from shared.console.roster import Roster
from shared.errors import PhotoSyncError
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.unreadable import SetAside
from shared.storage.user_state import FAILED, Stored, UserState
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.user import User
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import NOON, Clock, Exchange, MemoryStore

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

    def unreadable(self, limit: int) -> SetAside:
        return SetAside(len(self.aside), self.aside[:limit])


class Looks:
    """The two sides as somebody has seen them."""

    def __init__(self) -> None:
        self.seen: list[UserState | None] = []

    def compare(
        self, user: User, known: UserState | None, *, exchange_error: PhotoSyncError | None
    ) -> Difference:
        self.seen = [known]
        if exchange_error:
            unasked = (Unasked("exchange", str(exchange_error), 38.0),)
            return Difference(None, "Nobody knows.", {"PictureURL": ""}, unasked)
        return Difference(True, "They agree.", {"PictureURL": ""})

    def exchange(self, user: User) -> bytes:
        return b"exchange of " + user.user_principal_name.encode()

    def sharepoint(self, user: User, known: UserState | None) -> bytes:
        return b"sharepoint"

    def chosen(self, user: User, known: UserState | None, profile: Mapping[str, str] | None) -> str:
        return "https://cdn.contoso.com/anne.jpg" if known and profile else ""


class Texts:
    """A queue, as far as orders go there."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, float]] = []

    def send(self, text: str, *, delay_seconds: float) -> None:
        self.sent.append((text, delay_seconds))


class Releasing:
    def release_removals(self) -> int:
        return 21


class Desk:
    """A console and all that is behind it."""

    def __init__(self) -> None:
        self.kept, self.looks, self.documents = Kept(), Looks(), MemoryDocuments()
        self.users, self.upkeep, self.exchange = Texts(), Texts(), Exchange()
        self.console = Console(
            Roster(self.kept),
            cast("Sides", self.looks),
            self.kept,
            self.documents,
            self.exchange,
            cast("Sweep", Releasing()),
            Orders(self.users, self.upkeep, lambda: LENGTHS),
            dry_run=True,
            clock=Clock(),
            new_id=lambda: "an-id",
        )

    def log_sweep(self, **fields: Any) -> None:
        at = NOON.isoformat()
        SweepLogs(self.documents).begin(SweepLog("one", at, at, **fields), None)
