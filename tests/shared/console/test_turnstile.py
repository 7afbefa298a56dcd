"""Who is let in, and who is sent away."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from shared.console.turnstile import Turnstile
from shared.errors import ServiceDown


def test_so_many_at_once():
    """Beyond the places one is sent away in a sentence; who leaves makes room, also by an error."""
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


def test_place_that_becomes_free():
    """Where everybody is quick, nobody is sent away: a place is waited for."""
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
