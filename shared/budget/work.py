"""
The priority of a run's profile calls, for when few calls are left.

A context variable carries it: Http takes each call, but only the worker knows its purpose. Code
that starts threads copies the context into them. A call without context counts as one for a person
who waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import IntEnum


class Kind(IntEnum):
    """In order of precedence: each kind leaves part of the limit for those before it."""

    BEGUN = 0  # the rest of a copy that has begun
    CHANGE = 1  # a photo has changed, or a person waits
    AUDIT = 2
    SWEEP = 3  # first copies, and all else that came without a notification


# A first copy reads the profile and, if SharePoint refuses several properties in one request,
# writes four properties in separate calls.
AHEAD = 4


@dataclass(eq=False)
class Work:
    """
    One run. Its first call takes `ahead` more, so that the run can finish what it begins. `endings`
    are called when it ends.
    """

    kind: Kind
    ahead: int = 0
    endings: list[Callable[[Work], None]] = field(default_factory=list)


_current: ContextVar[Work] = ContextVar("work")
_DEFAULT = Work(Kind.CHANGE)


def current() -> Work:
    """The work of the current context."""
    return _current.get(_DEFAULT)


@contextmanager
def doing(kind: Kind, *, ahead: int = AHEAD) -> Iterator[None]:
    """Give all calls within the block this *kind*."""
    work = Work(kind, ahead)
    token = _current.set(work)
    try:
        yield
    finally:
        _current.reset(token)
        for end in work.endings:
            end(work)
