"""Polls until something has finished; tolerates an app that restarts meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from admin.terminal.problems import Late, Unreachable, Unsound

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
# A deployment or a cold start takes less than this many polls.
_MISSES = 8


def wait_until(
    poll: Callable[[], T | None],
    *,
    seconds: float,
    late: str,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> T:
    """
    The first result of *poll* that is not None. Raises Late with the text *late* after *seconds*.

    A few failures in a row are tolerated. A wrong key is reported before this, by the request
    that started the work.
    """
    deadline = clock() + seconds
    length, misses = _FIRST_PAUSE, 0
    while True:
        try:
            found = poll()
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
