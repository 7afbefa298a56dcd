"""Which callers are admitted, and which are rejected."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from shared.console import concurrency_limit
from shared.console.concurrency_limit import ConcurrencyLimit
from shared.errors import ServiceDown


def test_limit():
    """A caller beyond the limit is rejected; leaving, even by an error, frees a slot."""
    limit = ConcurrencyLimit(2)
    with ExitStack() as stack:
        stack.enter_context(limit.slot())
        stack.enter_context(limit.slot())
        with pytest.raises(ServiceDown, match="Try again"):
            stack.enter_context(limit.slot())
    with pytest.raises(KeyError), limit.slot():
        raise KeyError
    with limit.slot(), limit.slot():
        pass


def test_slot_that_becomes_free(monkeypatch: pytest.MonkeyPatch):
    """A caller waits briefly for a slot, so that short calls are not rejected."""
    # Two minutes in place of half a second: the other thread may be late.
    monkeypatch.setattr(concurrency_limit, "_MOMENT", 240 * concurrency_limit._MOMENT)
    limit, leave = ConcurrencyLimit(1), threading.Event()
    entered = threading.Event()

    def stay() -> None:
        with limit.slot():
            entered.set()
            assert leave.wait(120)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(stay)
        assert entered.wait(120)
        threading.Timer(0.05, leave.set).start()
        with limit.slot():
            assert first.done() or leave.is_set()
