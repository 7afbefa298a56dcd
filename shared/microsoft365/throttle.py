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

from shared.backoff import backoff

BUDGET_WINDOW = timedelta(minutes=5)
_BELIEVED = 3


class Gate:
    """One service's "not before". Threads, and the hosts of one service, share it."""

    def __init__(
        self, clock: Callable[[], datetime], *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._not_before: datetime | None = None
        self._rounds = 0
        self._lock = threading.Lock()

    def round(self) -> int:
        """How often in a row the service has closed the gate: to be asked before each call."""
        with self._lock:
            return self._rounds

    def closed_for(self) -> float:
        """Seconds until a call makes sense; 0.0 while the gate is open."""
        with self._lock:
            if self._not_before is None:
                return 0.0
            return max(0.0, (self._not_before - self._clock()).total_seconds())

    def refused(self, asked: float | None, *, begun_in: int) -> None:
        """
        The service answered 429 or 503 and *asked* for so many seconds, or did not say.

        Calls that were under way together count as one: *begun_in* is their `round`.
        """
        with self._lock:
            seconds = asked or 0.0
            # Whoever asked for too little several times over is not believed any more.
            doubted = begun_in + 1 - (_BELIEVED if asked is not None else 0)
            if doubted > 0:
                seconds = max(seconds, backoff(doubted, asked=None, jitter=self._jitter))
            self._rounds = max(self._rounds, begun_in + 1)
            until = self._clock() + timedelta(seconds=seconds)
            self._not_before = max(until, self._not_before or until)

    def answered(self) -> None:
        """The service works again."""
        with self._lock:
            self._rounds = 0


class Budget:
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
