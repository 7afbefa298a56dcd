"""
What one process remembers of a service that asked for patience, so that its threads do not all ask.

Throttled requests count against the limit too (sharepoint.md section 5, documented): while a gate
is closed nobody calls.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from shared.backoff import backoff

_BELIEVED = 3
# The service says how much is left from 80 % of a minute's limit on (sharepoint.md section 5). A
# first fill takes as much by itself, and changes are not to wait for it: only the end is near.
_LITTLE, _LONGEST_RESET = 0.05, 60.0


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

    def answered(self, headers: Mapping[str, str]) -> None:
        """
        The service works again; where its *headers* say that little is left, calls come slower.

        The less is left of the limit, the longer: with nothing left until it is reset.
        """
        seconds = _seconds_to_spare(headers)
        with self._lock:
            self._rounds = 0
            if seconds:
                until = self._clock() + timedelta(seconds=seconds)
                self._not_before = max(until, self._not_before or until)


class Budget(Protocol):
    """Calls that may be made; `name` is what a sentence about it begins with."""

    name: str

    def take(self) -> float:
        """Take one call; 0.0 if it may be made, else the seconds until one is free again."""
        ...


def _seconds_to_spare(headers: Mapping[str, str]) -> float:
    """For how long not to call, by RateLimit-Limit, -Remaining and -Reset; 0.0 without them."""
    try:
        limit, remaining, reset = (
            float(headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
        )
    except (KeyError, ValueError):
        return 0.0
    little = limit * _LITTLE
    # Not of a limit of nothing, nor of a number that is none.
    if not (0 < little < math.inf and 0 <= remaining < little and reset >= 0):
        return 0.0
    # Slowly at first: whoever calls together hears it together.
    return min(reset, _LONGEST_RESET) * (1 - remaining / little) ** 2
