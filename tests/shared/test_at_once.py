"""Two concurrent calls; the caller continues when both have finished."""

from __future__ import annotations

import threading

import pytest

from shared.at_once import Threads, error_of_two
from shared.errors import GiveUp, Throttled, TryLater
from shared.telemetry import calls
from tests.doubles.office import failing


def test_both_are_under_way_together():
    """Each call can wait for the other."""
    meeting = threading.Barrier(2, timeout=120)

    first, beside = Threads(1)(meeting.wait, meeting.wait)

    assert {first.result(), beside.result()} == {0, 1}


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_no_call_outlives_the_other_s_error(error):
    """Whatever ends one call, the other finishes before the caller continues."""
    failing, ended = threading.Event(), threading.Event()

    def fail() -> None:
        failing.set()
        raise error

    def linger() -> None:
        failing.wait(10)
        ended.set()

    try:
        _, beside = Threads(1)(linger, fail)
    except KeyboardInterrupt:
        assert isinstance(error, KeyboardInterrupt)
    else:
        assert beside.exception() is error
    assert ended.is_set()


def test_an_error_of_the_first_is_kept_for_it():
    """No error is raised before the result is asked for: the other result may be enough."""
    error = ValueError()

    first, beside = Threads(1)(failing(error), lambda: "done")

    assert (first.exception(), beside.result()) == (error, "done")


def test_calls_of_both_are_noted():
    """The log line of a run counts the calls of both threads."""
    with calls.noted() as made:
        Threads(1)(lambda: calls.note("graph"), lambda: calls.note("sharepoint"))

    assert sorted(made) == ["graph", "sharepoint"]


SHORT, LONG = Throttled("x", retry_after=0.5), Throttled("x", retry_after=9.0)
NO_TIME, FINAL = TryLater("x"), GiveUp("x")


@pytest.mark.parametrize(
    ("first", "beside", "decides"),
    [
        (SHORT, LONG, LONG),
        (LONG, SHORT, LONG),
        (NO_TIME, SHORT, SHORT),
        (SHORT, FINAL, SHORT),
        (FINAL, LONG, FINAL),
        (None, LONG, None),
    ],
)
def test_error_of_two_calls(first, beside, decides):
    """The first call's error decides, unless both wait: then the longer wait does."""
    assert error_of_two(first, beside) is decides
