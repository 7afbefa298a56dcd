"""How long Microsoft Graph would take for a sweep, on a clock of its own: nobody waits for it."""

from __future__ import annotations

import heapq
import threading
from collections import deque

from local.bench.measuring import conditions

# Seconds of an answer, as elsewhere in the bench; of a batch, too, where the simulator lets first
# the batch wait and then its requests, side by side.
LATENCY = conditions.LATENCY["graph"] / 1000
BATCH_LATENCY = 2 * LATENCY
# A service limit: so many requests in so many seconds (graph.md section 4, documented).
REQUESTS, WINDOW = 10_000, 600.0


class GraphTime:
    """
    Answers so many requests for photos at once, each in *seconds*. Threads may share it.

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
        """When the last answer was there."""
        return max(self._free_at)

    def page(self) -> None:
        """Ask for a page of users, once everything before is answered."""
        with self._lock:
            self._free_at = [self.seconds + LATENCY] * len(self._free_at)

    def photos(self, requests: int) -> None:
        """Make so many requests, each as soon as there is room for it."""
        with self._lock:
            for _ in range(requests):
                begins = max(self._free_at[0], self._allowed_at())
                heapq.heapreplace(self._free_at, begins + self._each)

    def _allowed_at(self) -> float:
        """When one more request stays within the limit; it is counted."""
        if not self._limited:
            return 0.0
        allowed = self._lately.popleft() + WINDOW if len(self._lately) == REQUESTS else 0.0
        self._lately.append(max(self._free_at[0], allowed))
        return allowed
