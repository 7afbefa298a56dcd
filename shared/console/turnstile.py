"""Lets so many in at once and sends the rest away, so that other work keeps its threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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
