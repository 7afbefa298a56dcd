"""What the brakes hold back is listed, confirmed, and released."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, entry, overview, users

GONE = {"brake": {"engaged": True, "gone": 21, "left": 0, "managed": 90, "detail": "Too many."}}
LEFT = {"brake": {"engaged": True, "gone": 0, "left": 22, "managed": 90, "detail": "Too many."}}
DIFFER = {"repairBrake": {"engaged": True, "differ": 34, "detail": "Too many."}}
REMOVALS, REPAIRS = ["sweep", "--release-removals"], ["check", "--release-repairs"]
ORDERS = [{"releaseRemovals": True}], [{"releaseRepairs": True}]

Holds = Callable[[dict[str, Any]], None]


@pytest.fixture
def holds(console: ConsoleDouble) -> Holds:
    """Let the app hold this back, with an endless list of people."""
    why = {"missingSince": NOON, "leftSince": NOON, "damage": "S is gone."}
    people = [entry(number, **why) for number in range(30)]

    def hold(brake: dict[str, Any]) -> None:
        console.routes["GET", "overview"] = (200, overview(**brake))
        console.routes["GET", "users"] = (200, users(*people, token="more"))
        console.routes["POST", "sweep"] = (200, {"released": 21})
        console.routes["POST", "audit"] = (202, {"released": 34})

    return hold


@pytest.mark.parametrize(
    ("command", "brake", "listed", "words"),
    [
        (
            REMOVALS,
            GONE,
            {"gone": "true"},
            ["21 people will lose their pictures", "gone since", "1 more: manage.py users --gone"],
        ),
        (
            REMOVALS,
            LEFT,
            {"status": "left"},
            ["22 people who left", "left since", "and 2 more: manage.py users --status left"],
        ),
        (
            REPAIRS,
            DIFFER,
            {"differs": "true"},
            ["34 pictures", "S is gone.", "and 14 more: manage.py users --differs"],
        ),
    ],
    ids=["removals", "leavers", "repairs"],
)
def test_named_before_it_is_released(manage, console, holds, command, brake, listed, words):
    """The number and the first twenty names are shown, from one page; then one order is sent."""
    holds(brake)
    result = manage(*command, "--yes")

    assert_printed(result, 0, *words, "person19@contoso.com  Person 19")
    assert "person20@" not in result.out
    assert result.out.rstrip().endswith("released.")
    [_, asked] = console.queries
    assert listed.items() <= asked.items()
    assert console.orders in ORDERS


@pytest.mark.parametrize(("command", "brake"), [(REMOVALS, GONE), (REPAIRS, DIFFER)])
@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("\n", 1), ("n\n", 1)])
def test_only_a_yes_releases(manage, console, holds, answers, command, brake, typed, code):
    """Any other answer changes nothing, and the output says so."""
    holds(brake)
    answers(typed)
    result = manage(*command)

    assert result.code == code
    assert ("Nothing was changed." in result.out) is (code == 1)
    assert len(console.orders) == (code == 0)


@pytest.mark.parametrize(("command", "brake"), [(REMOVALS, GONE), (REPAIRS, DIFFER)])
def test_without_a_terminal(manage, console, holds, command, brake):
    """Without a terminal --yes is required; with --json only the answer is printed."""
    holds(brake)
    assert manage(*command).code == manage(*command, "--json").code == 2
    assert "give --yes" in manage(*command, "--json").err
    assert console.orders == []

    assert manage(*command, "--json", "--yes").document["released"] > 0


@pytest.mark.parametrize("command", [REMOVALS, REPAIRS])
def test_nothing_to_release(manage: Manage, console: ConsoleDouble, command: Any):
    """If nothing is held back it says so, does not ask, and sends no order."""
    result = manage(*command)

    assert_printed(result, 0, "back.", err="")
    assert console.orders == []
    assert manage(*command, "--json").document == {"released": 0}


def test_app_without_a_brake_of_repairs(manage: Manage, console: ConsoleDouble):
    """An older app does not report held-back repairs, so that is an error."""
    older = overview()
    del older["repairBrake"]
    console.routes["GET", "overview"] = (200, older)

    assert manage(*REPAIRS, "--yes").code == 4
    assert console.orders == []
