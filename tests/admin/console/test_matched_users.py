"""A user given by another address or a name: stderr says who was matched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.command_result import assert_one_sentence
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble, queued, refusal
from tests.doubles.console_answers import ANNE, history, person

NAMED = {"userId": ANNE, "userPrincipalName": "anne@contoso.com", "displayName": "Anne Other"}
NOTE = "anne.o is Anne Other (anne@contoso.com).\n"
COMMANDS = [
    ["status", "anne.o"],
    ["check", "anne.o"],
    ["replay", "anne.o"],
    ["history", "anne.o"],
    ["failures", "--dismiss", "anne.o", "--yes"],
]


def found_by(console: ConsoleDouble, name: str) -> None:
    """Let Anne be found by *name*."""

    def replayed(asked: Any) -> tuple[int, Any]:
        status, answer = queued(asked)
        return status, {**answer, **NAMED}

    console.routes["GET", f"users/{name}"] = (200, person())
    console.routes["POST", f"users/{name}/replay"] = replayed
    console.routes["GET", "history"] = (200, history(user=NAMED))
    dismissed = {"dismissed": 1, "unreadableTo": "", "users": [NAMED]}
    console.routes["POST", "dismiss"] = (200, dismissed)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_match_is_named(manage: Manage, console: ConsoleDouble, command: list[str]):
    """It is one line on stderr, so that stdout stays one document."""
    found_by(console, "anne.o")

    assert manage(*command).err == NOTE
    result = manage(*command, "--json")
    assert (result.code, result.err) == (0, NOTE)
    assert result.document is not None


@pytest.mark.parametrize("name", ["Anne@Contoso.com", ANNE.upper()])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_unambiguous_name(manage, console, command, name):
    """A UPN or an object id needs no such line, in any letter case."""
    found_by(console, name.replace("@", "%40"))

    assert manage(*[name if each == "anne.o" else each for each in command]).err == ""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_several_of_that_name(manage: Manage, console: ConsoleDouble, command: list[str]):
    """The app's sentence names them; of several replays one may be so, which is code 1."""
    several = "More than one user is called anne.o: anne.o@contoso.com, anne.ort@contoso.com."
    refused = (400, refusal("BadRequest", several))
    routes = [("GET", "users/anne.o"), ("POST", "users/anne.o/replay"), ("GET", "history")]
    console.routes |= dict.fromkeys([*routes, ("POST", "dismiss")], refused)
    result = manage(*command)

    assert several in result.err
    if command[0] == "replay":
        assert result.code == 1
    else:
        assert_one_sentence(result, 2)
