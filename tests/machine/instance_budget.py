"""
A budget of one instance alone: what takes the place of the fleet's where its storage is no subject.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

BUDGET_WINDOW = timedelta(minutes=5)


class InstanceBudget:
    """At most so many calls in any five minutes; a *limit* of 0 means no limit."""

    def __init__(
        self, limit: int, clock: Callable[[], datetime], *, name: str = "The budget of calls"
    ) -> None:
        """*name* is what a sentence about it begins with."""
        self.name = name
        self._limit = limit
        self._clock = clock
        self._spent: deque[datetime] = deque()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take one call; 0.0 if it may be made, else the seconds until one is free again."""
        if not self._limit:
            return 0.0
        with self._lock:
            now = self._clock()
            while self._spent and now - self._spent[0] >= BUDGET_WINDOW:
                self._spent.popleft()
            if len(self._spent) < self._limit:
                self._spent.append(now)
                return 0.0
            return (self._spent[0] + BUDGET_WINDOW - now).total_seconds()

    def wait_for(self, calls: int, *, share: float) -> float:
        """
        Seconds until *calls* more keep what is spent within *share* of the limit; takes none.

        For work that gives way to all other: the rest of the limit stays free for that.
        """
        if not self._limit:
            return 0.0
        with self._lock:
            now = self._clock()
            spent = [moment for moment in self._spent if now - moment < BUDGET_WINDOW]
            over = len(spent) + calls - int(self._limit * share)
            if not spent or over <= 0:
                return 0.0
            last_in_the_way = spent[min(over, len(spent)) - 1]
            return (last_in_the_way + BUDGET_WINDOW - now).total_seconds()
