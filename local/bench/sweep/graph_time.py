"""How long Microsoft Graph would take for a sweep, in simulated time."""

from __future__ import annotations

import heapq
import threading
from collections import deque

from local.bench.measuring import conditions

# Seconds of an answer, as elsewhere in the bench. Also of a batch: the simulator delays first the
# batch and then its requests, which run concurrently.
LATENCY = conditions.LATENCY["graph"] / 1000
BATCH_LATENCY = 2 * LATENCY
# A service limit: REQUESTS in WINDOW seconds (graph.md section 4, documented).
REQUESTS, WINDOW = 10_000, 600.0


class GraphTime:
    """
    Answers *at_once* photo requests concurrently, each in *seconds*. Threads may share it.

    *limited* holds them to REQUESTS in any WINDOW.
    """

    def __init__(self, at_once: int, seconds: float, *, limited: bool = False) -> None:
        self._free_at = [0.0] * at_once
        self._each = seconds
        self._limited = limited
        self._lately: deque[float] = deque()
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """When the last answer arrived."""
        return max(self._free_at)

    def page(self) -> None:
        """Request a page of users, once everything before is answered."""
        with self._lock:
            self._free_at = [self.seconds + LATENCY] * len(self._free_at)

    def photos(self, requests: int) -> None:
        """Make so many requests, each as soon as a slot is free."""
        with self._lock:
            for _ in range(requests):
                begins = max(self._free_at[0], self._allowed_at())
                heapq.heapreplace(self._free_at, begins + self._each)

    def _allowed_at(self) -> float:
        """When one more request is within the limit; it is counted."""
        if not self._limited:
            return 0.0
        allowed = self._lately.popleft() + WINDOW if len(self._lately) == REQUESTS else 0.0
        self._lately.append(max(self._free_at[0], allowed))
        return allowed
