"""Lets so many in at once and sends the rest away, so that other work keeps its threads."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from shared.errors import ServiceDown

# Long enough for a place to become free where everybody answers, short enough to wait on a thread.
_MOMENT = 0.5


class Turnstile:
    """
    *places* may be inside at once.

    All HTTP functions of an instance share its threads (functions.md section Python): when
    Microsoft 365 hangs, each that asks it hangs for half a minute, and the webhook, which must
    answer within three seconds, would wait for them.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Be inside for the block. Raises ServiceDown when no place becomes free in a moment."""
        if not self._places.acquire(timeout=_MOMENT):
            raise ServiceDown(
                "Too many are looking already, and wait for slow answers: try again in half a "
                "minute.",
                service="photosync",
            )
        try:
            yield
        finally:
            self._places.release()


class Behind(Protocol):
    """What a turnstile stands before."""

    turnstile: Turnstile


P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B", bound=Behind)


def takes_a_place(method: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
    """Whatever *method* asks may be slow, storage too: so only so many are inside at once."""

    @functools.wraps(method)
    def inside(console: B, /, *args: P.args, **named: P.kwargs) -> T:
        with console.turnstile.inside():
            return method(console, *args, **named)

    return inside
