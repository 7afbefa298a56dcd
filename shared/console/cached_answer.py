"""Caches the answer to an expensive query for a while, so that frequent queries stay cheap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

# A query that takes no longer may run every time.
_CHEAP = timedelta(seconds=2)
# Otherwise at most a tenth of one thread is spent on it, however many callers there are.
_REST = 10


class _Answer(NamedTuple, Generic[T]):
    value: T
    good_until: datetime


class CachedAnswer(Generic[T]):
    """Caches what *ask* returns: an answer that took long is valid for ten times as long."""

    def __init__(self, ask: Callable[[], T], clock: Callable[[], datetime]) -> None:
        self._ask = ask
        self._clock = clock
        self._asking = threading.Lock()
        self._last: _Answer[T] | None = None

    def forget(self) -> None:
        """Discard the answer: what it describes has changed."""
        self._last = None

    def get(self) -> T:
        """The answer. While one caller asks, others get the last one, or wait if there is none."""
        last = self._last
        if last and self._clock() < last.good_until:
            return last.value
        if not self._asking.acquire(blocking=last is None):
            assert last, "without an answer it was waited for"
            return last.value
        try:
            # Read once: `forget` may run in between.
            if last is None and (found := self._last):
                return found.value
            began = self._clock()
            value = self._ask()
            now = self._clock()
            took = now - began
            self._last = _Answer(value, now + (_REST * took if took > _CHEAP else timedelta()))
            return value
        finally:
            self._asking.release()
