"""
Records, per process, that a service asked us to wait, so that no thread calls it meanwhile.

Throttled requests also count against the limit (sharepoint.md section 5, documented), so no calls
are made until then.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from shared.backoff import backoff

_TRUSTED_REFUSALS = 3
# The service reports what is left once 80 % of the limit per minute is used (sharepoint.md section
# 5). A first fill alone uses that much, and changes must not wait because of it. So calls slow down
# only for the last part.
_LITTLE, _LONGEST_RESET = 0.05, 60.0


class Throttle:
    """The time before which not to call a service; shared by threads and by a service's hosts."""

    def __init__(
        self, clock: Callable[[], datetime], *, jitter: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._jitter = jitter
        self._not_before: datetime | None = None
        self._rounds = 0
        self._lock = threading.Lock()

    def round(self) -> int:
        """How often in a row the service has refused a call; read it before each call."""
        with self._lock:
            return self._rounds

    def paused_for(self) -> float:
        """Seconds until a call makes sense; 0.0 if it makes sense now."""
        with self._lock:
            if self._not_before is None:
                return 0.0
            return max(0.0, (self._not_before - self._clock()).total_seconds())

    def refused(self, asked: float | None, *, begun_in: int) -> None:
        """
        The service responded 429 or 503. *asked* is its wait in seconds, None if it named none.

        Calls in flight at the same time count as one: *begun_in* is their `round`.
        """
        with self._lock:
            seconds = asked or 0.0
            # After three refusals, ignore Retry-After if our own backoff is longer.
            excess = begun_in + 1 - (_TRUSTED_REFUSALS if asked is not None else 0)
            if excess > 0:
                seconds = max(seconds, backoff(excess, asked=None, jitter=self._jitter))
            self._rounds = max(self._rounds, begun_in + 1)
            until = self._clock() + timedelta(seconds=seconds)
            self._not_before = max(until, self._not_before or until)

    def answered(self, headers: Mapping[str, str]) -> None:
        """
        The service works again; if its *headers* report that little is left, slow calls down.

        The less of the limit is left, the longer the pause; with nothing left, until the reset.
        """
        seconds = _seconds_to_spare(headers)
        with self._lock:
            self._rounds = 0
            if seconds:
                until = self._clock() + timedelta(seconds=seconds)
                self._not_before = max(until, self._not_before or until)


class Budget(Protocol):
    """A limit on calls; `name` begins the sentences about it."""

    name: str

    def take(self) -> float:
        """Take one call; 0.0 if it may be made, else the seconds until one is free again."""
        ...


def _seconds_to_spare(headers: Mapping[str, str]) -> float:
    """Seconds not to call, from RateLimit-Limit, -Remaining and -Reset; 0.0 without them."""
    try:
        limit, remaining, reset = (
            float(headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
        )
    except (KeyError, ValueError):
        return 0.0
    little = limit * _LITTLE
    # Ignore a limit of zero and numbers that are not finite.
    if not (0 <= remaining < little < math.inf and reset >= 0):
        return 0.0
    # Slow down gently at first: concurrent calls all receive the same headers.
    return min(reset, _LONGEST_RESET) * (1 - remaining / little) ** 2
