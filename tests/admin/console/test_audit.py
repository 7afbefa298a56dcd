"""`check --all`: an audit of everybody, followed, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, audit, entry, overview, users

DAMAGE = "The profile shows no picture any more."
RUNS = audit(status="running", page=1)
WAITS = audit(status="running", waitingUntil="2026-01-31T12:05:00+00:00")
Audited = Callable[..., None]


def damaged(number: int, **changes: Any) -> dict[str, Any]:
    """Somebody whom the audit has found, and nobody has looked at since."""
    before = "2026-01-31T11:00:00+00:00"
    found = {"status": "synced", "detail": "", "damage": DAMAGE, "checkedAt": before}
    return entry(number, **{**found, **changes})


@pytest.fixture
def audited(console: ConsoleDouble) -> Audited:
    """Let an audit go through these stages, and the list of who differs through *differ*."""

    def go(*stages: dict[str, Any], differ: Sequence[list[dict[str, Any]]] = ([],)) -> None:
        console.routes["POST", "audit"] = (202, {"audit": RUNS})
        console.answers("overview", *(overview(audit=stage) for stage in stages))
        console.answers("users", *(users(*entries) for entries in differ))

    return go


def test_nothing_differs(manage: Manage, console: ConsoleDouble, audited: Audited):
    """Nothing differs: a summary, and code 0; the order says that nothing is to be repaired."""
    audited(audit())
    assert_printed(manage("check", "--all"), 0, "SharePoint shows what PhotoSync wrote.")
    assert console.orders == [{"repair": False}]


def test_followed_to_its_end(manage: Manage, audited: Audited):
    """A running audit is followed; while it waits, the output says until when, once."""
    audited(RUNS, WAITS, WAITS, audit())
    result = manage("check", "--all")

    assert result.code == 0
    assert result.out.count("Waiting for the profile budget until 2026-01-31 12:05:00Z.") == 1


def test_something_differs(manage: Manage, console: ConsoleDouble, audited: Audited):
    """Everybody who differs is named with what differs, and the code is 1."""
    audited(audit(differ=2, repair=False), differ=[[damaged(1), damaged(2)]])
    words = ("person2@contoso.com", DAMAGE, "none: it only reports")
    assert_printed(manage("check", "--all"), 1, *words)
    assert console.queries[-1]["differs"] == "true"


def test_differs_as_csv(manage: Manage, audited: Audited):
    """As CSV it is the list of who differs and nothing else; progress is on stderr."""
    audited(WAITS, audit(differ=1), differ=[[damaged(1)]])
    result = manage("check", "--all", "--csv")

    assert_printed(result, 1, err="Waiting for the profile budget")
    assert [(row["userId"], row["damage"]) for row in result.rows] == [(entry(1)["userId"], DAMAGE)]


def test_repaired(manage: Manage, console: ConsoleDouble, audited: Audited):
    """With --repair the worker's runs are waited for: code 0 if nobody differs any more."""
    left = [[damaged(1), damaged(2)], [damaged(2, status="waiting")], []]
    audited(audit(differ=2), differ=left)
    assert_printed(manage("check", "--all", "--repair"), 0, "queued as they are found")
    assert console.orders == [{"repair": True}]


def test_not_everybody_could_be_repaired(manage: Manage, audited: Audited):
    """A user who was checked since and still differs is not waited for, and is named."""
    failed = damaged(1, status="failed", detail="No role.", checkedAt=NOON)
    audited(audit(differ=2), differ=[[damaged(2), failed], [failed]])
    result = manage("check", "--all", "--repair", "--json")

    assert result.code == 1
    assert [each["detail"] for each in result.document["differ"]] == ["No role."]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"repairs": "braked", "detail": "34 of 40 differ."}, ["held back by the brake", "34 of"]),
        ({"status": "failed", "detail": "No role."}, ["No role."]),
    ],
    ids=["braked", "failed"],
)
def test_end_without_repairs(manage: Manage, audited: Audited, end: Any, words: list[str]):
    """An audit that failed or is braked repairs nobody: it says so, with code 1."""
    audited(audit(**end))
    assert_printed(manage("check", "--all", "--repair"), 1, *words)


def test_replaced_by_another(manage: Manage, audited: Audited):
    """An audit that is over because another began is not waited for."""
    audited(audit(id="20260131T130000-2", status="running"))

    assert manage("check", "--all").code == 0


@pytest.mark.parametrize(
    ("stage", "differ", "err"),
    [
        (RUNS, [], "repeat the command to keep following it"),
        (audit(differ=1), [damaged(1)], "manage.py users --differs"),
    ],
    ids=["audit", "repairs"],
)
def test_timeout(manage: Manage, audited: Audited, stage: Any, differ: list[Any], err: str):
    """What is not over in time goes on, and is code 5 with a sentence."""
    audited(stage, differ=[differ])
    assert_printed(manage("check", "--all", "--repair", "--timeout", "1"), 5, err=err)
