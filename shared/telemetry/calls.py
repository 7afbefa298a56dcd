"""Records the calls that one run makes to each service, for its log line and its outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# A context variable, not an argument: every layer would pass it on and none would use it. Work
# handed to another thread takes it along with contextvars.copy_context().
_calls: ContextVar[list[str] | None] = ContextVar("calls", default=None)


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect the service of every call made inside the block: graph, sharepoint, blob."""
    calls: list[str] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def note(service: str) -> None:
    """Record one call to *service*, answered or not. Threads may call it at once."""
    calls = _calls.get()
    if calls is not None:
        calls.append(service)
