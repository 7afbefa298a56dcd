"""Which callers are admitted, and which are rejected."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from shared.console.turnstile import Turnstile
from shared.errors import ServiceDown


def test_limit():
    """A caller beyond the limit is rejected; leaving, even by an error, frees a slot."""
    turnstile = Turnstile(2)
    with ExitStack() as stack:
        stack.enter_context(turnstile.inside())
        stack.enter_context(turnstile.inside())
        with pytest.raises(ServiceDown, match="Try again"):
            stack.enter_context(turnstile.inside())
    with pytest.raises(KeyError), turnstile.inside():
        raise KeyError
    with turnstile.inside(), turnstile.inside():
        pass


def test_slot_that_becomes_free():
    """A caller waits briefly for a slot, so that short calls are not rejected."""
    turnstile, leave = Turnstile(1), threading.Event()
    entered = threading.Event()

    def stay() -> None:
        with turnstile.inside():
            entered.set()
            assert leave.wait(30)

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(stay)
        assert entered.wait(30)
        threading.Timer(0.05, leave.set).start()
        with turnstile.inside():
            assert first.done() or leave.is_set()
