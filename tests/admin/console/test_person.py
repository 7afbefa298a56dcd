"""`status USER` and `check USER`: both sides, the stored state, and the exit codes."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from admin.console.replay import replay
from admin.terminal.shell import Shell
from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, card, person, state

ANNE = "GET", "users/anne%40contoso.com"


def test_one_user(manage: Manage):
    """Both sides, the difference, the stored state, and the history."""
    shown = ("They agree.", "a_MThumb.jpg", "63913492800", "Anne Other", "Copied.")
    assert_printed(manage("status", "anne@contoso.com"), 0, *shown)


@pytest.mark.parametrize("command", ["status", "check"])
def test_sides_that_differ(manage: Manage, console: ConsoleDouble, command: str):
    """If the sides differ, the app's sentence is shown, and the code is 1."""
    sentence = "SharePoint shows another picture than Exchange."
    repair = "To repair it: manage.py replay --wait anne@contoso.com"
    console.routes[ANNE] = (200, person(agree=False, difference=sentence))
    assert_printed(manage(command, "anne@contoso.com"), 1, sentence, repair)


@pytest.mark.parametrize("name", ["o'brien@contoso.com", "-anne@contoso.com", "--wait@contoso.com"])
def test_name_with_shell_characters(manage: Manage, console: ConsoleDouble, name: str):
    """An apostrophe in a name is no quotation mark in the command to copy, and a - no option."""
    user = {**person()["user"], "userPrincipalName": name}
    console.routes[ANNE] = (200, person(agree=False, user=user))
    result = manage("check", "anne@contoso.com")

    [line] = [line for line in result.out.splitlines() if line.startswith("To repair it: ")]
    order = line.removeprefix("To repair it: manage.py ")
    if Shell.here().powershell:
        assert order == f"replay --wait {Shell.here().user(name)}"
        return
    with replay.make_context("replay", shlex.split(order)[1:]) as read:
        assert (read.params["users"], read.params["wait"]) == ((name,), True)


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"chosen": "https://cdn.contoso.com/anne.jpg"}, "--replace --wait anne@contoso.com"),
        ({"state": state(status="no-photo")}, ""),
    ],
    ids=["chosen", "no photo"],
)
def test_repair_that_helps(manage: Manage, console: ConsoleDouble, change: Any, options: str):
    """A chosen picture needs another command; without a photo none helps."""
    console.routes[ANNE] = (200, person(agree=False, difference="They differ.", **change))
    out = manage("check", "anne@contoso.com").out

    assert ("To repair it" in out) is bool(options)
    assert options in out


@pytest.mark.parametrize(
    ("reason", "code"),
    [("out-of-scope", 0), ("no-profile", 0), ("no-mailbox", 0), ("dry-run", 1), ("other-host", 1)],
)
@pytest.mark.parametrize("command", ["status", "check"])
def test_left_alone_by_design(manage, console, command, reason, code):
    """Users out of scope by design are code 0, and the output says so."""
    skipped = state(status="skipped", reason=reason, detail="A guest.")
    answer = person(agree=False, difference="They differ.", state=skipped)
    console.routes[ANNE] = (200, answer)
    result = manage(command, "anne@contoso.com")

    assert result.code == code
    assert ("left alone by design: A guest. They differ." in result.out) is (code == 0)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"damage": "The profile shows no picture."}, "found by an audit  The profile shows no"),
        (
            {"status": "waiting", "nextAttemptAt": "2026-01-31T12:01:00Z"},
            "waiting until 2026-01-31 12:01:00Z",
        ),
    ],
    ids=["audit", "waiting"],
)
def test_stored_state(manage: Manage, console: ConsoleDouble, changes: Any, shown: str):
    """What an audit found, and until when the user waits."""
    console.routes[ANNE] = (200, person(state=state(**changes)))
    assert_printed(manage("status", "anne@contoso.com"), 0, shown)


@pytest.mark.parametrize("command", ["status", "check"])
def test_user_without_any_data(manage: Manage, console: ConsoleDouble, command: str):
    """A user without state, profile or even account is shown, and differs if the app says so."""
    nobody = person(user=None, state=None, profile=None, history=[], agree=False, difference="")
    console.routes[ANNE] = (200, nobody)
    assert_printed(manage(command, "anne@contoso.com"), 1, "not in the tenant", "The sides differ.")


def test_agreement_despite_a_failed_run(manage: Manage, console: ConsoleDouble):
    """`check` asks only whether the sides agree; `status` also whether the last run failed."""
    error = {"code": "x", "message": "The photo cannot be read.", "at": "2026-01-31T12:00:00"}
    console.routes[ANNE] = (200, person(state=state(status="failed", lastError=error)))

    assert manage("check", "anne@contoso.com").code == 0
    assert_printed(manage("status", "anne@contoso.com"), 1, "The photo cannot be read.")


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("o'hara@contoso.com", "o%27hara%40contoso.com"),
        ("ann_x.com#EXT#@contoso.com", "ann_x.com%23EXT%23%40contoso.com"),
        ("a/../b?c=d&e@contoso.com", "a%2F..%2Fb%3Fc%3Dd%26e%40contoso.com"),
        ("50%41 jürgen@contoso.com", "50%2541%20j%C3%BCrgen%40contoso.com"),
    ],
)
def test_unusual_names_are_encoded(manage: Manage, console: ConsoleDouble, user: str, path: str):
    """A name is one segment of the path, whatever its characters."""
    console.routes["GET", f"users/{path}"] = (200, person())

    assert manage("check", user).code == 0
    assert console.asked[-1].path == f"/api/console/users/{path}"


def test_sides_that_cannot_be_compared(manage: Manage, console: ConsoleDouble):
    """In an outage the sides cannot be compared: code 4, and the stored state is shown."""
    user = {**person()["user"], "accountEnabled": None, "guest": None}
    silent = [
        {"side": "exchange", "message": "Graph is down.", "retryAfter": None},
        {"side": "sharepoint", "message": "It asks for patience.", "retryAfter": 37.2},
    ]
    unknown = {"agree": None, "difference": "Graph is down.", "profile": None}
    console.routes[ANNE] = (200, person(**unknown, user=user, unasked=silent))

    for command in ("status", "check"):
        result = manage(command, "anne@contoso.com")
        reason = "could not be read: It asks for patience. Try again in 38 s."
        assert_printed(result, 4, "anne@contoso.com: Graph is down.", reason)
        assert "disabled" not in result.out
    assert "2026-01-31 12:00:00Z" in manage("status", "anne@contoso.com").out


@pytest.mark.parametrize("command", ["status", "check"])
def test_leaver(manage: Manage, console: ConsoleDouble, command: str):
    """A leaver's remaining picture is by design: code 0, and the output says so."""
    left = state(status="left", reason="unknown-user", detail="Unknown.", leftSince=NOON)
    twice = "Unknown: anne@contoso.com. Still there."
    for difference, shown in (("Still there.", "Unknown. Still there."), (twice, twice)):
        console.routes[ANNE] = (200, person(agree=False, difference=difference, state=left))
        result = manage(command, "anne@contoso.com")
        assert_printed(result, 0, f"left alone by design: {shown}")
        assert ("left since" in result.out) is (command == "status")


@pytest.mark.parametrize(
    ("action", "order"),
    [
        ("", ""),
        ("replay", "To repair it: manage.py replay --wait anne@contoso.com"),
        ("doctor", "manage.py doctor"),
        ("removals", "manage.py sweep --release-removals"),
    ],
)
def test_the_card(manage: Manage, console: ConsoleDouble, action: str, order: str):
    """The app's sentence comes first, then the one command that helps, if any."""
    console.routes[ANNE] = (200, person(agree=False, card=card(action=action)))
    out = manage("status", "anne@contoso.com").out

    assert out.startswith(card()["seen"])
    assert (order in out, "manage.py" in out) == (True, bool(order))


def test_app_decides_what_is_by_design(manage: Manage, console: ConsoleDouble):
    """The app decides whether anything must be done, whatever the reason."""
    for by_design, code in ((True, 0), (False, 1)):
        console.routes[ANNE] = (200, person(agree=False, card=card(byDesign=by_design)))
        assert manage("check", "anne@contoso.com").code == code


def test_a_ticket(manage: Manage, console: ConsoleDouble):
    """--ticket prints only that text; without a user, or a text, it is an error."""
    console.answers(ANNE[1], person(card=card()), person())
    ticket = manage("status", "anne@contoso.com", "--ticket")
    assert ticket.out.splitlines() == card()["ticket"].splitlines()

    assert "name one" in manage("status", "--ticket").err
    assert_printed(manage("status", "anne@contoso.com", "--ticket"), 4, err="too old")
