"""The app's progress from the host's log: runs in progress, and whether anything moves."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

# The host's own first line after each start, before it takes any work.
_BORN = " host: Host started"
_BEGUN = re.compile(r"Executing 'Functions\.\w+' \(.*\bId=([\w-]+)\)")
_ENDED = re.compile(r"Executed 'Functions\.\w+' \(.*\bId=([\w-]+),")
_PUT_OFF = re.compile(r"\b(?:photo|upkeep)\.waiting .*?\bretryIn=([\d.]+)")
# Longer than any run, and any absence of a killed run's message, on the slowest machine.
_STANDSTILL = 120.0


def under_way(log: str) -> set[str]:
    """The ids of the runs that have begun since the host's last start and not ended."""
    life = log.rpartition(_BORN)[2]
    return set(_BEGUN.findall(life)) - set(_ENDED.findall(life))


class Standstill:
    """Detects that nothing moves any more: a run that only defers its message moves nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._moved_at = clock()
        self._moved = -1

    def reached(self, log: str) -> bool:
        """Whether nothing has moved for longer than the longest delay of any message so far."""
        waits = [float(seconds) for seconds in _PUT_OFF.findall(log)]
        moved = len(_ENDED.findall(log)) - len(waits)
        if moved > self._moved:
            self._moved, self._moved_at = moved, self._clock()
        return self._clock() - self._moved_at > _STANDSTILL + max(waits, default=0.0)
