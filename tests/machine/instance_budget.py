"""A budget of profile calls of one instance; replaces the fleet's, which needs storage."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

BUDGET_WINDOW = timedelta(minutes=5)


class InstanceBudget:
    """At most so many calls in any five minutes; a *limit* of 0 means no limit."""

    name = "The budget of calls"

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
        self._limit = limit
        self._clock = clock
        self._spent: deque[datetime] = deque()

    def take(self) -> float:
        """Take one call; 0.0 if it may be made, else the seconds until one is free again."""
        seconds = self.wait_for(1, share=1.0)
        if not seconds:
            self._spent.append(self._clock())
        return seconds

    def wait_for(self, calls: int, *, share: float) -> float:
        """
        Seconds until *calls* more keep what is spent within *share* of the limit; takes none.

        For work with a low priority: the rest of the limit stays free for other work.
        """
        now = self._clock()
        while self._spent and now - self._spent[0] >= BUDGET_WINDOW:
            self._spent.popleft()
        over = len(self._spent) + calls - int(self._limit * share)
        if not self._limit or not self._spent or over <= 0:
            return 0.0
        last_in_the_way = self._spent[min(over, len(self._spent)) - 1]
        return (last_in_the_way + BUDGET_WINDOW - now).total_seconds()
