"""A clock for measuring durations: it cannot be set, and it runs while the machine is suspended."""

from __future__ import annotations

import sys
import time

if sys.platform == "linux":

    def ticks() -> float:
        """Seconds since a fixed but arbitrary point in time."""
        # The monotonic clock stops while a virtual machine is suspended (Python, time).
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def ticks() -> float:
        """Seconds since a fixed but arbitrary point in time."""
        return time.monotonic()
