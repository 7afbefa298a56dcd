"""The clock that measures spans of time: nobody sets it, and it runs while the machine sleeps."""

from __future__ import annotations

import sys
import time

if sys.platform == "linux":

    def ticks() -> float:
        """Seconds since some moment, the same for the whole life of the process."""
        # The monotonic clock stands still while a virtual machine is suspended (Python, time).
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:

    def ticks() -> float:
        """Seconds since some moment, the same for the whole life of the process."""
        return time.monotonic()
