"""
What one process remembers of a service that asked for patience, so that its threads do not all ask.

Throttled requests count against the limit too (sharepoint.md section 5, documented): while a gate
is closed nobody calls.
"""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from shared.patience import backoff

BUDGET_WINDOW = timedelta(minutes=5)


class Gate:
    """One service's "not before". Threads, and the hosts of one service, share it."""

    def __init__(
        self, clock: Callable[[], datetime], *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._not_before: datetime | None = None
        self._refusals = 0
        self._lock = threading.Lock()

    def closed_for(self) -> float:
        """Seconds until a call makes sense; 0.0 while the gate is open."""
        with self._lock:
            if self._not_before is None:
                return 0.0
            return max(0.0, (self._not_before - self._clock()).total_seconds())

    def refused(self, asked: float | None) -> None:
        """The service answered 429 or 503 and *asked* for so many seconds, or did not say."""
        with self._lock:
            self._refusals += 1
            if asked is None:
                asked = backoff(self._refusals, asked=None, jitter=self._jitter)
            until = self._clock() + timedelta(seconds=asked)
            self._not_before = max(until, self._not_before or until)

    def answered(self) -> None:
        """The service works again."""
        with self._lock:
            self._refusals = 0


class Budget:
    """At most so many calls in any five minutes; a *limit* of 0 means no limit."""

    def __init__(self, limit: int, clock: Callable[[], datetime]) -> None:
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
