"""Instances with unrelated clocks, and a storage whose times are whole seconds."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from shared.budget.fleet_budget import FleetBudget
from shared.budget.tenant_limit import TenantLimit
from shared.budget.work import Kind, doing
from shared.errors import ServiceDown
from shared.storage.documents import Document
from tests.doubles.memory_documents import MemoryDocuments

WINDOW = 300.0
AWAY = ServiceDown("Storage could not be reached.", service="storage")
DOCUMENT = "budgets/contoso-admin.sharepoint.com.json"


class Storage(MemoryDocuments):
    """Documents with storage's time in whole seconds."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self._fleet = fleet

    def read(self, name: str) -> Document | None:
        found = super().read(name)
        return found._replace(at=float(math.floor(self._fleet.now))) if found else None


class Fleet:
    """Instances that share one limit, and the calls that they made; `now` is the true time."""

    def __init__(self, limit: int = 1000, share: float = 0.2) -> None:
        self.now = 1_760_000_000.4
        self.limit = limit
        self.share = share
        self.documents = Storage(self)
        self.made: deque[float] = deque()
        self.most = 0
        self._timers: list[tuple[float, Callable[[], None]]] = []
        self._instances = 0

    def instance(self, skew: float = 0.0, limit: TenantLimit | None = None) -> FleetBudget:
        """Another instance, whose clock is *skew* seconds ahead."""
        self._instances += 1
        return FleetBudget(
            "contoso-admin.sharepoint.com",
            self.documents,
            limit or TenantLimit(self.limit, lambda: None, lambda: 0),
            share=self.share,
            instance=f"instance-{self._instances}",
            ticks=lambda: self.now + skew - 1_750_000_000,
            later=lambda seconds, call: self._timers.append((self.now + seconds, call)),
        )

    def call(self, budget: FleetBudget) -> float:
        """Make a call if the budget allows it; returns the seconds to wait otherwise."""
        seconds = budget.take()
        if seconds == 0:
            self.made.append(self.now)
            while self.now - self.made[0] >= WINDOW:
                self.made.popleft()
            self.most = max(self.most, len(self.made))
        return seconds

    def spend(self, budget: FleetBudget, kind: Kind, calls: int, *, ahead: int = 0) -> int:
        """Make up to so many calls, each in a run of its own; returns the number made."""
        for made in range(calls):
            with doing(kind, ahead=ahead):
                if self.call(budget):
                    return made
        return calls

    def spend_for(self, seconds: int, budget: FleetBudget, kind: Kind) -> int:
        """Make all calls that the budget allows in so many seconds; returns their number."""
        made = 0
        for _ in range(seconds // 5):
            made += self.spend(budget, kind, 9999)
            self.pass_time(5)
        return made

    def pass_time(self, seconds: float, *, timers: bool = True) -> None:
        """Let time pass; without *timers* the processes are frozen, or dead."""
        ends = self.now + seconds
        while timers and (due := [each for each in self._timers if each[0] <= ends]):
            first = min(due, key=lambda each: each[0])
            self._timers.remove(first)
            self.now = max(self.now, first[0])
            first[1]()
        self.now = ends
