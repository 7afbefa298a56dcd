"""`sweep`: started, and followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from admin.terminal.problems import Late, Unreachable
from admin.terminal.waiting import wait_until
from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import overview, sweep
from tests.doubles.web import Clock

OLD, NEW = "20260131T110000-0", "20260131T120000-1"


@pytest.fixture
def shows(console: ConsoleDouble) -> Callable[..., None]:
    """Let the overview show these sweeps one after the other, the last one for good."""
    return lambda *sweeps: console.answers("overview", *(overview(sweep=each) for each in sweeps))


def test_start(manage: Manage, console: ConsoleDouble):
    """A sweep is queued by one POST with an empty document."""
    assert_printed(manage("sweep"), 0, "queued")
    assert console.orders == [{}]


@pytest.mark.parametrize("before", [None, sweep(id=OLD)], ids=["first ever", "after another"])
def test_wait_for_the_new_one(manage: Manage, shows: Any, before: dict[str, Any] | None):
    """The old sweep's end is not taken for the new one's."""
    running = sweep(id=NEW, status="running", users=5)
    shows(before, before, running, running, sweep(id=NEW, users=12))
    result = manage("sweep", "--wait", "--json")

    end = result.document
    assert (result.code, end["id"], end["status"]) == (0, NEW, "finished")


def test_wait_for_the_one_that_runs(manage: Manage, shows: Any):
    """A sweep that was running when another was asked for is followed to its end."""
    shows(sweep(id=OLD, status="running"), sweep(id=OLD, status="running"), sweep(id=OLD))

    assert manage("sweep", "--wait", "--json").document["id"] == OLD


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        ({"status": "failed", "detail": "Page 3 was lost."}, "failed Page 3 was lost."),
        ({"removals": "braked", "gone": 21}, "21, held back by the brake"),
        ({"status": "failed", "gone": 2}, "2, none is removed, since the sweep failed"),
        ({"forgetting": "braked", "left": 21}, "21, held back by the brake"),
    ],
)
def test_sweep_that_failed_or_is_braked(manage, shows, end: dict[str, Any], shown: str):
    """It is code 1, and the reason is shown."""
    shows(None, sweep(**end))
    assert_printed(manage("sweep", "--wait"), 1, shown)


@pytest.mark.parametrize("last", [sweep(), sweep(id=NEW + "0", status="running")])
def test_wait_is_limited(manage: Manage, shows: Any, last: dict[str, Any]):
    """A sweep that does not begin, or does not end, is code 5 with a sentence."""
    shows(sweep(), last)
    assert_one_sentence(manage("sweep", "--wait", "--timeout", "1"), 5, "manage.py status")


def waited(poll: Callable[[], str | None], *, seconds: float, clock: Clock) -> str:
    """Wait until *poll* has a result; only waiting moves *clock*."""
    return wait_until(poll, seconds=seconds, late="too long", clock=clock.ticks, pause=clock.sleep)


def test_short_outage():
    """An app that restarts while it is waited for is asked again; one that stays away is not."""
    misses = [Unreachable("gone")] * 7

    def look() -> str | None:
        if misses:
            raise misses.pop()
        return "done"

    def never() -> str | None:
        raise Unreachable("gone")

    assert waited(look, seconds=60, clock=Clock()) == "done"
    with pytest.raises(Unreachable):
        waited(never, seconds=60, clock=Clock())


def test_polls_become_rarer():
    """An hour's wait is some hundred polls, not thousands, and ends on time."""
    clock, polls = Clock(), []
    with pytest.raises(Late, match="too long"):
        waited(lambda: polls.append(clock.now), seconds=3600, clock=clock)

    assert len(polls) < 800
    assert clock.ticks() == 3600
