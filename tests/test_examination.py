"""Checks in turn, and what becomes of those that others keep from being looked at."""

from __future__ import annotations

from shared.errors import ServiceDown
from shared.examination import Check, Finding, Step, examine
from tests.doubles import failing


def fail() -> Finding:
    failing(ServiceDown("It is down."))()
    raise AssertionError


def test_steps_in_order():
    """Each look comes to a check: well, wrong with what to do, or failed with its remedy."""
    steps = [
        Step("well", lambda: Finding("Good."), str),
        Step("wrong", lambda: Finding("Bad.", "Mend it."), str),
        Step("failed", fail, lambda error: f"Remedy: {error.code}."),
    ]

    assert examine(steps) == [
        Check("well", True, "Good.", ""),
        Check("wrong", False, "Bad.", "Mend it."),
        Check("failed", False, "It is down.", "Remedy: service-down."),
    ]


def test_what_needs_a_failed_check_is_not_looked_at():
    """A check that cannot run says because of which other one, and so do those behind it."""
    steps = [
        Step("first", fail, lambda _: "Mend it."),
        Step("second", fail, str, ("first",)),
        Step("third", fail, str, ("second", "first")),
        Step("other", lambda: Finding("Good."), str),
    ]
    first, second, third, other = examine(steps)

    assert (second.ok, second.detail) == (
        *(False, 'This could not be looked at, because "first" failed.'),
    )
    assert third.action == 'Do first what "second" says.'
    assert other.ok
    assert [first.looked, second.looked, third.looked, other.looked] == [True, False, False, True]


def test_wrong_and_yet_of_use():
    """A finding may be wrong and still be built upon."""
    steps = [
        Step("first", lambda: Finding("Bad.", "Mend it.", usable=True), str),
        Step("second", lambda: Finding("Good."), str, ("first",)),
    ]

    assert [check.ok for check in examine(steps)] == [False, True]
