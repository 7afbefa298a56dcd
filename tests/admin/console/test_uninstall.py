"""`uninstall`: the plan, the question, the progress, and what is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble, refusal
from tests.doubles.console_answers import NOON, overview, uninstall

LATER = "2026-01-31T12:30:00+00:00"
DONE = uninstall(status="done", left=0, finishedAt=NOON)
EMPTY: dict[str, Any] = {"subscription": None, "counts": {}}
ANNE_LEFT = {"userId": "a", "userPrincipalName": "anne@contoso.com", "detail": "No right."}


@pytest.fixture
def shows(console: ConsoleDouble) -> Callable[..., None]:
    """Let the overview show these uninstalls one after the other, the last one for good."""

    def follow(*uninstalls: dict[str, Any] | None, **changes: Any) -> None:
        seen = [overview(uninstall=each, **changes) for each in uninstalls]
        console.answers("overview", *seen)

    return follow


@pytest.mark.parametrize(
    ("options", "word"), [([], "stay as they are"), (["--remove-pictures"], "are removed")]
)
def test_dry_run(manage: Manage, console: ConsoleDouble, options: list[str], word: str):
    """The plan says what is deleted and what stays, and no order is sent."""
    plan = (f"about 8 that PhotoSync wrote {word}", "of 10 users is deleted", "live until")
    assert_printed(manage("uninstall", "--dry-run", *options), 0, *plan, "a person chose")
    assert console.orders == []


def test_plan_as_a_document(manage: Manage, console: ConsoleDouble):
    """--json prints the same numbers."""
    plan = manage("uninstall", "--dry-run", "--remove-pictures", "--json").document

    assert (plan["removePictures"], plan["pictures"], plan["states"]) == (True, 8, 10)
    assert (plan["subscription"]["status"], console.orders) == ("live", [])


@pytest.mark.parametrize(("typed", "code", "ordered"), [("y\n", 0, 1), ("\n", 1, 0), ("n\n", 1, 0)])
def test_question(manage, console, shows, answers, typed, code, ordered):
    """Only a yes orders anything."""
    shows(None, DONE)
    answers(typed)
    assert_printed(manage("uninstall"), code, "Plan")
    assert console.orders == [{"removePictures": False}] * ordered


@pytest.mark.parametrize("options", [["--json"], []])
def test_without_a_terminal(manage: Manage, console: ConsoleDouble, options: list[str]):
    """Without a terminal, --yes is required."""
    assert_printed(manage("uninstall", *options), 2, err="--yes")
    assert console.orders == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["pictures stay in SharePoint"]),
        (["--remove-pictures"], ["grant --revoke", "azd down"]),
    ],
)
def test_followed_to_the_end(manage, console, shows, options, words):
    """With --yes it is ordered and followed; the next steps are named, or the end as JSON."""
    shows(None, uninstall(), uninstall(left=4), DONE)
    assert_printed(manage("uninstall", "--yes", *options), 0, *words)
    assert console.orders == [{"removePictures": bool(options)}]

    shows(None, uninstall(), DONE)
    assert manage("uninstall", "--yes", "--json").document == DONE


def test_second_call_continues(manage: Manage, console: ConsoleDouble, shows: Any):
    """A running uninstallation is followed without a question, and asked to continue."""
    shows(uninstall(), uninstall(), DONE)
    assert_printed(manage("uninstall"), 0, f"started at {NOON[:10]}")
    assert console.orders == [{"removePictures": False}]


@pytest.mark.parametrize(
    "changes",
    [EMPTY, {"subscription": None, "counts": {"synced": 9}, "countedAt": NOON}],
    ids=["nobody", "counted before"],
)
def test_nothing_is_left(manage: Manage, console: ConsoleDouble, shows: Any, changes: Any):
    """After the end it says so, and sends no order; an older count does not matter."""
    shows(DONE, **changes)
    assert_printed(manage("uninstall", "--yes"), 0, "Nothing is left", "grant --revoke")
    assert console.orders == []


@pytest.mark.parametrize(
    ("before", "changes"),
    [
        ({**DONE, "left": 1}, EMPTY),
        ({**DONE, "subscription": "No right."}, EMPTY),
        (DONE, {"counts": {}}),
        (DONE, {"subscription": None, "counts": {"synced": 1}, "countedAt": LATER}),
        ({**DONE, "status": "failed"}, EMPTY),
        ({**DONE, "status": "cancelled"}, EMPTY),
    ],
    ids=["users", "refused", "subscription", "counted since", "failed", "cancelled"],
)
def test_something_is_left(manage, console, shows, before, changes):
    """If anything is left, the order is sent again."""
    shows(before, DONE, **changes)
    manage("uninstall", "--yes")

    assert console.orders == [{"removePictures": False}]


@pytest.mark.parametrize(
    ("end", "words"),
    [
        ({"left": 1, "problems": [ANNE_LEFT]}, ["anne@contoso.com", "No right.", "repeat"]),
        ({"left": 2, "detail": "2 users were at work."}, ["2 users are left", "at work"]),
        ({"subscription": "Access denied."}, ["Access denied.", "within a month"]),
        ({"status": "failed", "detail": "Gave up."}, ["failed", "Gave up."]),
        ({"status": "cancelled"}, ["cancelled"]),
        ({"status": "running", "id": "another"}, ["another order replaced it"]),
    ],
    ids=["user", "at work", "subscription", "failed", "cancelled", "another"],
)
def test_what_could_not_be_removed(manage: Manage, shows: Any, end: Any, words: list[str]):
    """It is code 1, with the users and the reason."""
    shows(None, {**DONE, **end})
    assert_printed(manage("uninstall", "--yes"), 1, *words)


def test_wait_is_limited(manage: Manage, shows: Any):
    """After the timeout, the sentence says that it continues."""
    shows(None, uninstall())
    assert_printed(manage("uninstall", "--yes", "--timeout", "1"), 5, err="It continues")


def test_refused_order(manage: Manage, console: ConsoleDouble):
    """The app's own sentence is shown."""
    sentence = "DRY_RUN is on, so nothing can be taken back."
    console.routes["POST", "uninstall"] = (400, refusal("BadRequest", sentence))
    result = manage("uninstall", "--yes", "--remove-pictures")

    assert (result.code, result.err.strip()) == (2, sentence)


@pytest.mark.parametrize(
    ("cancelled", "word"), [(True, "is cancelled"), (False, "nothing to cancel")]
)
def test_cancel(manage: Manage, console: ConsoleDouble, cancelled: bool, word: str):
    """One POST cancels the order, or says that there is none."""
    console.routes["POST", "uninstall"] = (202, {"cancelled": cancelled})
    assert_printed(manage("uninstall", "--cancel"), 0, word)
    assert [each.body for each in console.asked] == [{"cancel": True}]


@pytest.mark.parametrize("other", ["--remove-pictures", "--dry-run"])
def test_cancel_alone(manage: Manage, console: ConsoleDouble, other: str):
    """An order and its opposite are refused before anything is sent."""
    assert_one_sentence(manage("uninstall", "--cancel", other), 2, "--cancel")
    assert console.asked == []


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (uninstall(), ["being uninstalled", "10 users left"]),
        (DONE, ["uninstalled and stopped", "--cancel"]),
    ],
    ids=["running", "done"],
)
def test_status_of_an_uninstalled_app(manage: Manage, shows: Any, shown: Any, words: list[str]):
    """`status` says that PhotoSync is stopped, and lists nothing else to do."""
    shows(shown, subscription=None)
    result = manage("status")

    assert_printed(result, 1, *words)
    assert "manage.py renew" not in result.out


def test_status_after_a_cancelled_one(manage: Manage, shows: Any):
    """A cancelled order changes nothing."""
    shows(uninstall(status="cancelled"))

    assert manage("status").code == 0
