"""
What a run's profile calls are for: who comes first when there are few left.

A context says so, since it is Http that takes each call and the worker that knows what for. Who
starts threads copies the context into them; a call without one is for a person who waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    """In order of precedence: each leaves something over for those before it."""

    BEGUN = 0  # the rest of a copy that has begun
    CHANGE = 1  # a photo has changed, or a person waits
    AUDIT = 2
    SWEEP = 3  # first copies, and whatever else no notification told


# A first copy reads the profile and, where SharePoint takes no more in one request, writes four
# properties by calls of their own.
AHEAD = 4


@dataclass(eq=False)
class Work:
    """
    One run. With its first call it takes `ahead` more, so that what it begins it can end; `endings`
    are told when it is over.
    """

    kind: Kind
    ahead: int = 0
    endings: list[Callable[[Work], None]] = field(default_factory=list)


_current: ContextVar[Work] = ContextVar("work")
_NOBODYS = Work(Kind.CHANGE)


def current() -> Work:
    """The work that this thread is at."""
    return _current.get(_NOBODYS)


@contextmanager
def doing(kind: Kind, *, ahead: int = AHEAD) -> Iterator[None]:
    """Calls within are of this *kind*."""
    work = Work(kind, ahead)
    token = _current.set(work)
    try:
        yield
    finally:
        _current.reset(token)
        for end in work.endings:
            end(work)
