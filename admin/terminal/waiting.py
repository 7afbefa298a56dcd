"""Looks again and again until something is over, with patience for an app that restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from admin.terminal.problems import Late, Unreachable, Unsound

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
# A deployment or a cold start takes less than this many looks.
_MISSES = 8


def wait_until(
    look: Callable[[], T | None],
    *,
    seconds: float,
    late: str,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """
    The first thing that *look* returns. Raises Late with the sentence *late* after *seconds*.

    An app that cannot be reached a few times in a row is not given up at once; a wrong key is
    told before anything is waited for, by the request that began it.
    """
    deadline = clock() + seconds
    length, misses = _FIRST_PAUSE, 0
    while True:
        try:
            found = look()
            misses = 0
        except (Unreachable, Unsound):
            found = None
            misses += 1
            if misses == _MISSES:
                raise
        if found is not None:
            return found
        left = deadline - clock()
        if left <= 0:
            raise Late(late)
        pause(min(length, left))
        length = min(length * 1.5, _LONGEST_PAUSE)
