"""Admits a limited number of callers and rejects the rest, so that other work keeps its threads."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from shared.errors import ServiceDown

# Long enough for a slot to become free while services answer, short enough to block a thread.
_MOMENT = 0.5


class Turnstile:
    """
    At most *places* callers may be inside at once.

    All HTTP functions of an instance share its threads (functions.md section Python). If Microsoft
    365 hangs, each call to it hangs for half a minute, and the webhook, which must answer within
    three seconds, would wait for them.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Hold a slot for the block. Raises ServiceDown if none becomes free within _MOMENT."""
        if not self._places.acquire(timeout=_MOMENT):
            raise ServiceDown(
                "Too many requests are already waiting for slow services. Try again in 30 seconds.",
                service="photosync",
            )
        try:
            yield
        finally:
            self._places.release()


class Behind(Protocol):
    """An object whose methods a turnstile guards."""

    turnstile: Turnstile


P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound=Behind)


def takes_a_place(method: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
    """Limit how many callers *method* admits: whatever it asks may be slow, storage included."""

    @functools.wraps(method)
    def inside(console: B, /, *args: P.args, **named: P.kwargs) -> T:
        with console.turnstile.inside():
            return method(console, *args, **named)

    return inside
