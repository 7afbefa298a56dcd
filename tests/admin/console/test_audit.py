"""`check --all`: an audit of everybody, followed, and what it found."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import NOON, Asked, ConsoleDouble, entry, overview
from tests.admin.said import assert_told

ID = "20260504T120000-1"
DAMAGE = "The profile shows no picture any more."


def audit(**changes: Any) -> dict[str, Any]:
    return {
        "id": ID,
        "startedAt": NOON,
        "status": "finished",
        "detail": "",
        "repair": True,
        "repairs": "free",
        "page": 3,
        "expectedPages": 2,
        "looked": 120,
        "differ": 0,
        "unclear": 1,
        "unanswered": 0,
        "waitingUntil": "",
        **changes,
    }


def damaged(number: int, **changes: Any) -> dict[str, Any]:
    """A user whom the audit found, and who was not checked since."""
    before = "2026-05-04T11:00:00+00:00"
    told = {"status": "synced", "detail": "", "damage": DAMAGE, "checkedAt": before}
    return entry(number, **{**told, **changes})


class Audited:
    """An app that returns these audits, and these lists of users who differ, in order."""

    def __init__(self, console: ConsoleDouble) -> None:
        self.audits: list[dict[str, Any]] = [audit()]
        self.differ: list[list[dict[str, Any]]] = [[]]
        console.routes["POST", "audit"] = (202, {"audit": audit(status="running")})
        console.routes["GET", "overview"] = lambda asked: (200, overview(audit=_next(self.audits)))
        console.routes["GET", "users"] = self._users

    def _users(self, asked: Asked) -> tuple[int, Any]:
        assert asked.query["differs"] == "true"
        return 200, {"users": _next(self.differ), "token": "", "complete": True}


def _next(left: list[Any]) -> Any:
    return left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture
def audited(console: ConsoleDouble) -> Audited:
    return Audited(console)


def test_all_is_right(manage: Manage, console: ConsoleDouble, audited: Audited):
    """Nothing differs: a summary and code 0; the order does not ask for repairs."""
    assert_told(manage("check", "--all"), 0, "SharePoint shows what PhotoSync wrote.")
    [order] = [each for each in console.asked if each.method == "POST"]
    assert order.body == {"repair": False}


def test_followed_to_its_end(manage: Manage, audited: Audited):
    """A running audit is followed; until when it waits is printed once."""
    waits = audit(status="running", waitingUntil="2026-05-04T12:05:00+00:00")
    audited.audits = [audit(status="running", page=1), waits, waits, audit()]
    said = manage("check", "--all")

    assert said.code == 0
    assert said.out.count("Waiting for the profile budget until 2026-05-04 12:05:00Z.") == 1


def test_something_differs(manage: Manage, audited: Audited):
    """Users who differ are listed with what differs, and the code is 1."""
    audited.differ = [[damaged(1), damaged(2)]]
    audited.audits = [audit(differ=2, repair=False)]
    assert_told(manage("check", "--all"), 1, "person2@contoso.com", DAMAGE, "none: it only reports")


def test_differs_as_csv(manage: Manage, audited: Audited):
    """CSV has only the users who differ; waiting is reported on stderr."""
    audited.differ = [[damaged(1)]]
    waits = audit(status="running", waitingUntil="2026-05-04T12:05:00+00:00")
    audited.audits = [waits, audit(differ=1)]
    said = manage("check", "--all", "--csv")

    assert said.code == 1
    header, line, end = said.out.split("\r\n")
    assert header.endswith(",damage,wouldChange")
    assert line.startswith("person1@contoso.com,")
    assert line.endswith(f",{DAMAGE},")
    assert end == ""
    assert "Waiting for the profile budget" in said.err


def test_repaired(manage: Manage, console: ConsoleDouble, audited: Audited):
    """With --repair it waits for the worker: code 0 if nobody differs afterwards."""
    audited.differ = [[damaged(1), damaged(2)], [damaged(2, status="waiting")], []]
    audited.audits = [audit(differ=2)]
    said = manage("check", "--all", "--repair")

    assert said.code == 0
    assert console.asked[0].body == {"repair": True}


def test_not_everybody_could_be_repaired(manage: Manage, audited: Audited):
    """A user who was checked since and still differs is listed, not waited for."""
    failed = damaged(1, status="failed", detail="No role.", checkedAt=NOON)
    audited.differ = [[damaged(2), failed], [failed]]
    audited.audits = [audit(differ=2)]
    said = manage("check", "--all", "--repair", "--json")

    assert said.code == 1
    assert [each["detail"] for each in said.document["differ"]] == ["No role."]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ({"repairs": "braked", "detail": "34 of 40 differ."}, "34 of 40 differ."),
        ({"status": "failed", "detail": "No role."}, "No role."),
    ],
    ids=["braked", "failed"],
)
def test_end_that_is_none(manage: Manage, audited: Audited, end: dict[str, Any], told: str):
    """An audit that failed, or holds repairs back, is code 1, with the reason."""
    audited.audits = [audit(**end)]
    assert_told(manage("check", "--all", "--repair"), 1, told)


def test_another_took_its_place(manage: Manage, audited: Audited):
    """An audit that is over because another began is not waited for."""
    audited.audits = [audit(id="20260504T130000-2", status="running")]

    assert manage("check", "--all").code == 0


@pytest.mark.parametrize(
    ("audits", "differ", "told"),
    [
        ([audit(status="running")], [[]], "repeat the command to keep following it"),
        ([audit(differ=1)], [[damaged(1)]], "manage.py users --differs"),
    ],
    ids=["audit", "repairs"],
)
def test_limited(manage: Manage, audited: Audited, audits: Any, differ: Any, told: str):
    """A timeout is code 5 with a sentence; the work continues."""
    audited.audits, audited.differ = audits, differ
    assert_told(manage("check", "--all", "--repair", "--timeout", "1"), 5, err=told)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["anne@contoso.com", "--all"],
        ["--all", "--release-repairs"],
        ["anne@contoso.com", "--repair"],
        ["anne@contoso.com", "--csv"],
        ["--all", "--csv", "--json"],
    ],
    ids=" ".join,
)
def test_what_goes_together(manage: Manage, console: ConsoleDouble, arguments: list[str]):
    """Contradictory or missing options send no order."""
    said = manage("check", *arguments)

    assert (said.code, said.out, console.asked) == (2, "", [])
