"""`failures` and `users`: everybody who fits, in a table, as CSV, and the exit codes."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import NOON, Asked, ConsoleDouble, entry
from tests.admin.said import assert_told


def test_users(manage: Manage, console: ConsoleDouble):
    """Everybody who fits is listed; nobody is code 1."""
    console.routes["GET", "users"] = (200, {"users": [entry(1)], "token": ""})
    assert_told(
        manage("users", "--search", "person", "--status", "failed", "--gone"),
        0,
        "person1@contoso.com",
        "Person 1",
        "failed",
        "The photo cannot be read.",
        "1 li",
    )
    sent = {"search": "person", "status": "failed", "gone": "true", "size": "200"}
    assert console.asked[-1].query == sent
    manage("users")
    assert console.asked[-1].query == {"size": "200"}
    assert len(manage("users", "--json").document) == 1
    console.routes["GET", "users"] = (200, {"users": [], "token": ""})
    assert manage("users", "--status", "waiting").code == 1
    assert manage("users", "--status", "lost").code == 2


def test_newcomer(manage: Manage, console: ConsoleDouble):
    """Whom Microsoft 365 alone knows is listed as not looked at yet, with the command to copy."""
    new = entry(3, status="", reason="", detail="", checkedAt="")
    console.routes["GET", "users"] = (200, {"users": [new], "token": ""})
    said = manage("users", "--search", "p.three@contoso.com")

    assert said.code == 0
    assert "not processed yet" in said.out
    assert "manage.py replay person3@contoso.com" in " ".join(said.out.split())


@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_microsoft_365_was_not_asked(manage: Manage, console: ConsoleDouble, options: list[str]):
    """Nobody found while Graph is silent is no answer, and says why there is none."""
    silent = {"users": [], "token": "", "complete": True, "unasked": "Graph asks for patience."}
    console.routes["GET", "users"] = (200, silent)
    said = manage("users", "--search", "zoe", *options)

    assert said.code == 4
    assert "Microsoft 365 could not be searched: Graph asks for patience." in " ".join(
        (said.out + said.err).split()
    )


def test_users_as_csv(manage: Manage, console: ConsoleDouble):
    """Everybody who fits, over all pages, in columns whose order programs may rely on."""
    odd = entry(2, displayName='Anne "Ann", Ltd', missingSince=NOON, status="no-photo")
    pages = {"": ([entry(1)], "t1"), "t1": ([], "t2"), "t2": ([odd], "")}

    def page(asked: Asked) -> tuple[int, Any]:
        assert asked.query["status"] == "failed"
        found, token = pages[asked.query.get("token", "")]
        return 200, {"users": found, "token": token}

    console.routes["GET", "users"] = page
    said = manage("users", "--csv", "--status", "failed")

    assert (said.code, said.err) == (0, "")
    header, first, second, end = said.out.split("\r\n")
    assert header == (
        "userPrincipalName,displayName,status,reason,detail,checkedAt,syncedAt,missingSince,userId,"
        "damage,wouldChange"
    )
    why = "photo-refused,The photo cannot be read."
    assert first == (f"person1@contoso.com,Person 1,failed,{why},{NOON},,,{entry(1)['userId']},,")
    assert second == (
        f'person2@contoso.com,"Anne ""Ann"", Ltd",no-photo,{why},{NOON},,{NOON},{odd["userId"]},,'
    )
    assert end == ""


def test_nobody_as_csv(manage: Manage):
    """Nobody who fits is the header alone, and code 1 as without --csv."""
    said = manage("users", "--csv")

    assert (said.code, len(said.out.splitlines())) == (1, 1)


@pytest.mark.parametrize("command", ["users", "failures"])
def test_one_format(manage: Manage, console: ConsoleDouble, command: str):
    """Who asks for both formats gets a sentence and neither."""
    said = manage(command, "--csv", "--json")

    assert (said.code, said.out, console.asked) == (2, "", [])


@pytest.mark.parametrize("tokens", [["t1", "t1"], ["t1", "t2", "t1"]], ids=["same", "earlier"])
def test_list_without_end(manage: Manage, console: ConsoleDouble, tokens: list[str]):
    """Pages that lead in a circle are an error, and no part of a list passes for the whole."""
    for users, options in (([], []), ([entry(1)], ["--csv"])):
        pages = [(200, {"users": users, "token": token}) for token in reversed(tokens)]
        console.routes["GET", "users"] = lambda asked, pages=pages: pages.pop()  # type: ignore[misc]
        said = manage("users", *options)

        assert (said.code, "The list does not end" in said.err) == (4, True)
    assert said.out == ""


@pytest.mark.usefixtures("failed")
def test_failures(manage: Manage):
    """Everybody who failed is listed, over all pages, also behind an empty one: code 1."""
    assert_told(
        manage("failures"),
        1,
        "person1@",
        "person2@",
        "person3@",
        "The photo cannot be read.",
        "3 failed",
    )


def test_failures_as_csv(manage: Manage, failed: list[dict[str, Any]]):
    """CSV has a header and one line each, and no cell that a spreadsheet would run."""
    said = manage("failures", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))

    assert said.code == 1
    assert [row["userId"] for row in rows] == [one["userId"] for one in failed]
    assert rows[1]["displayName"] == '\'=cmd("x"), Ltd'


@pytest.mark.parametrize("command", ["failures", "users"])
@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("@SUM(A1)", "'@SUM(A1)"),
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("\t=1+1", "'=1+1"),
        ("\r-1\n+2", "'-1 +2"),
        (" \t-1", "'-1"),
        ("Anne;=1+1; +2", "Anne;'=1+1; '+2"),
        ("Anne-Marie = 1;x", "Anne-Marie = 1;x"),
        ("\x1b[2J\x1b]0;title\x07\n\u202egpj", "�[2J�]0;title� �gpj"),
    ],
    ids=ascii,
)
def test_cells_that_do_harm(manage, console, command, name, cell):
    """No cell is a formula, also where a semicolon begins a cell, and none steers a terminal."""
    console.routes["GET", "users"] = (200, {"users": [entry(1, displayName=name)], "token": ""})
    (row,) = csv.DictReader(io.StringIO(manage(command, "--csv").out))

    assert row["displayName"] == cell


def test_cell_that_ends_its_quotation(manage: Manage, console: ConsoleDouble):
    """Where a semicolon begins a cell, a quotation mark behind it is none of the formula's."""
    person = entry(1, displayName='Jo;"=cmd|x!A0;Jo')
    console.routes["GET", "users"] = (200, {"users": [person], "token": ""})
    cells = list(csv.reader(io.StringIO(manage("users", "--csv").out), delimiter=";"))[1]

    assert cells[1] == "'=cmd|x!A0"


def test_nobody_failed(manage: Manage):
    """No failures: code 0, and CSV is the header alone."""
    assert manage("failures").code == 0
    assert manage("failures", "--csv").out.splitlines() == [
        "userPrincipalName,displayName,reason,detail,checkedAt,userId"
    ]
