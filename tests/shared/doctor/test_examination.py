"""Checks in order, and those that others keep from running."""

from __future__ import annotations

from datetime import timedelta

from shared.doctor.examination import ENOUGH, Check, Finding, Step, examine
from shared.errors import ServiceDown
from tests.doubles.office import Clock, failing

fail = failing(ServiceDown("It is down."))


def test_steps_in_order():
    """Each step becomes a check: passed, failed with an action, or failed with its remedy."""
    steps = [
        Step("well", lambda: Finding("Good."), str),
        Step("wrong", lambda: Finding("Bad.", "Fix it."), str),
        Step("failed", fail, lambda error: f"Remedy: {error.code}."),
    ]

    assert examine(steps, Clock()) == [
        Check("well", True, "Good.", ""),
        Check("wrong", False, "Bad.", "Fix it."),
        Check("failed", False, "It is down.", "Remedy: service-down."),
    ]


def test_step_after_a_failed_one():
    """A check that cannot run names the one it depends on, and so do those after it."""
    steps = [
        Step("first", fail, lambda _: "Fix it."),
        Step("second", fail, str, ("first",)),
        Step("third", fail, str, ("second", "first")),
        Step("other", lambda: Finding("Good."), str),
    ]
    first, second, third, other = examine(steps, Clock())

    assert (second.ok, second.detail) == (False, 'Not checked, because "first" failed.')
    assert third.action == 'Fix "second" first.'
    assert other.ok
    assert [first.looked, second.looked, third.looked, other.looked] == [True, False, False, True]


def test_usable_finding():
    """A later check may depend on a finding that is wrong but usable."""
    steps = [
        Step("first", lambda: Finding("Bad.", "Fix it.", usable=True), str),
        Step("second", lambda: Finding("Good."), str, ("first",)),
    ]

    assert [check.ok for check in examine(steps, Clock())] == [False, True]


def test_time_is_up():
    """After a minute no further check starts, so that the caller gets the results so far."""
    clock = Clock()

    def slow() -> Finding:
        clock.advance(ENOUGH / 2 + timedelta(seconds=1))
        return fail()

    probes = [slow, lambda: Finding("Good."), slow, slow]
    steps = [Step(str(number), probe, lambda _: "Fix it.") for number, probe in enumerate(probes)]
    checks = examine([*steps, Step("needs", slow, str, ("0",))], clock)

    assert [check.looked for check in checks] == [True, True, True, False, False]
    assert "took too long" in checks[3].detail
    assert checks[3].action
    assert not checks[3].ok
    assert '"0" failed' in checks[4].detail
