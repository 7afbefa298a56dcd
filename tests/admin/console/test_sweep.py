"""`sweep`: started, and followed."""

from __future__ import annotations

from typing import Any

import pytest

from admin.terminal.problems import Late, Unreachable
from admin.terminal.waiting import wait_until
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble, overview, sweep

OLD, NEW = "20260504T110000-0", "20260504T120000-1"


@pytest.fixture
def shows(console: ConsoleDouble):
    """Let the overview show these sweeps one after the other, the last one for good."""

    def follow(*sweeps: dict[str, Any] | None) -> None:
        left = list(sweeps)
        console.routes["GET", "overview"] = lambda asked: (
            200,
            overview(sweep=left.pop(0) if len(left) > 1 else left[0]),
        )

    return follow


def test_start(manage: Manage, console: ConsoleDouble):
    """A sweep is queued by one POST with an empty document."""
    said = manage("sweep")

    assert said.code == 0
    assert "queued" in said.out
    assert console.asked[-1].body == {}


@pytest.mark.parametrize("before", [None, sweep(id=OLD)], ids=["first ever", "after another"])
def test_wait_for_the_new_one(manage: Manage, shows: Any, before: dict[str, Any] | None):
    """The old sweep's end is not taken for the new one's."""
    running = sweep(id=NEW, status="running", users=5)
    shows(before, before, running, running, sweep(id=NEW, users=12))
    said = manage("sweep", "--wait", "--json")

    assert said.code == 0
    assert said.document["id"] == NEW
    assert said.document["status"] == "finished"


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
def test_wait_for_an_end_that_is_none(manage: Manage, shows: Any, end: dict[str, Any], shown: str):
    """A sweep that failed or is braked is code 1, and the reason is shown."""
    shows(None, sweep(**end))
    said = manage("sweep", "--wait")

    assert said.code == 1
    assert shown in said.out


@pytest.mark.parametrize("last", [sweep(), sweep(id=NEW + "0", status="running")])
def test_wait_is_limited(manage: Manage, shows: Any, last: dict[str, Any]):
    """A sweep that does not begin, or does not end, is code 5 with a sentence."""
    shows(sweep(), last)
    said = manage("sweep", "--wait", "--timeout", "1")

    assert (said.code, said.out) == (5, "")
    assert "manage.py status" in said.err


class Time:
    """A clock that runs only while somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_short_outage_is_borne():
    """An app that restarts while it is waited for is asked again; one that stays away is not."""
    time, misses = Time(), [Unreachable("gone")] * 7

    def look() -> str | None:
        if misses:
            raise misses.pop()
        return "done"

    def never() -> str | None:
        raise Unreachable("gone")

    assert wait_until(look, seconds=60, late="", clock=lambda: time.now, pause=time.wait) == "done"
    with pytest.raises(Unreachable):
        wait_until(never, seconds=60, late="", clock=lambda: time.now, pause=time.wait)


def test_looks_become_rarer():
    """An hour's wait is some hundred looks, not thousands, and ends on time."""
    time, looks = Time(), []

    def look() -> str | None:
        looks.append(time.now)
        return None

    with pytest.raises(Late, match="too long"):
        wait_until(look, seconds=3600, late="too long", clock=lambda: time.now, pause=time.wait)
    assert len(looks) < 800
    assert time.now == 3600
