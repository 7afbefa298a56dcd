"""Limits the concurrent callers of slow methods, so that other work keeps its threads."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from shared.errors import ServiceDown

# Long enough for a slot to become free while services answer, short enough to block a thread.
_MOMENT = 0.5


class ConcurrencyLimit:
    """
    At most *slots* callers at once.

    All HTTP functions of an instance share its threads (functions.md section Python). If Microsoft
    365 hangs, each call to it hangs for half a minute, and the webhook, which must answer within
    three seconds, would wait for them.
    """

    def __init__(self, slots: int) -> None:
        self._slots = threading.BoundedSemaphore(slots)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot for the block. Raises ServiceDown if none becomes free within _MOMENT."""
        if not self._slots.acquire(timeout=_MOMENT):
            raise ServiceDown(
                "Too many requests are already waiting for slow services. Try again in 30 seconds.",
                service="photosync",
            )
        try:
            yield
        finally:
            self._slots.release()


class Limited(Protocol):
    """An object with limited methods."""

    limit: ConcurrencyLimit


P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound=Limited)


def limited(method: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
    """Limit the concurrent callers of *method*: any service that it calls may be slow."""

    @functools.wraps(method)
    def within_limit(console: B, /, *args: P.args, **named: P.kwargs) -> T:
        with console.limit.slot():
            return method(console, *args, **named)

    return within_limit
