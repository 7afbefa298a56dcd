"""Checks in turn, and what becomes of those that others keep from being looked at."""

from __future__ import annotations

from datetime import timedelta

from shared.doctor.examination import ENOUGH, Check, Finding, Step, examine
from shared.errors import ServiceDown
from tests.doubles.office import Clock, failing


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

    assert examine(steps, Clock()) == [
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
    first, second, third, other = examine(steps, Clock())

    assert (second.ok, second.detail) == (*(False, 'Not checked, because "first" failed.'),)
    assert third.action == 'Fix "second" first.'
    assert other.ok
    assert [first.looked, second.looked, third.looked, other.looked] == [True, False, False, True]


def test_wrong_and_yet_of_use():
    """A finding may be wrong and still be built upon."""
    steps = [
        Step("first", lambda: Finding("Bad.", "Mend it.", usable=True), str),
        Step("second", lambda: Finding("Good."), str, ("first",)),
    ]

    assert [check.ok for check in examine(steps, Clock())] == [False, True]


def test_time_is_up():
    """After a minute nothing more is looked at: whoever waits is told what was found until then."""
    clock = Clock()

    def slow() -> Finding:
        clock.advance(ENOUGH / 2 + timedelta(seconds=1))
        return fail()

    looks = [slow, lambda: Finding("Good."), slow, slow]
    steps = [Step(str(number), look, lambda _: "Mend it.") for number, look in enumerate(looks)]
    checks = examine([*steps, Step("needs", slow, str, ("0",))], clock)

    assert [check.looked for check in checks] == [True, True, True, False, False]
    assert "took too long" in checks[3].detail
    assert checks[3].action
    assert not checks[3].ok
    assert '"0" failed' in checks[4].detail
