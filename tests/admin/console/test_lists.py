"""`failures` and `users`: matching users in a table or as CSV, and the exit codes."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, entry, users


def test_users(manage: Manage, console: ConsoleDouble):
    """Matching users are listed; no match is code 1, and as CSV the header alone."""
    console.answers("users", *[users(entry(1))] * 3, users())
    result = manage("users", "--search", "person", "--status", "failed", "--gone")
    shown = ("person1@contoso.com", "Person 1", "failed", "The photo cannot be read.", "1 li")
    assert_printed(result, 0, *shown)
    sent = {"search": "person", "status": "failed", "gone": "true", "size": "200"}
    assert console.queries == [sent]
    manage("users")
    assert console.queries[-1] == {"size": "200"}
    assert len(manage("users", "--json").document) == 1
    assert manage("users", "--status", "waiting").code == 1
    nobody = manage("users", "--csv")
    assert (nobody.code, len(nobody.out.splitlines())) == (1, 1)
    assert manage("users", "--status", "lost").code == 2


def test_newcomer(manage: Manage, console: ConsoleDouble):
    """A user found only in Microsoft 365 is listed as not processed, with the command."""
    new = entry(3, status="", reason="", detail="", checkedAt="")
    console.routes["GET", "users"] = (200, users(new))
    result = manage("users", "--search", "p.three@contoso.com")

    assert result.code == 0
    assert "not processed yet" in result.out
    assert "manage.py replay person3@contoso.com" in " ".join(result.out.split())


@pytest.mark.parametrize("options", [[], ["--csv"], ["--json"]])
def test_microsoft_365_was_not_asked(manage: Manage, console: ConsoleDouble, options: list[str]):
    """No match while Graph cannot be asked is an error, with the reason."""
    console.routes["GET", "users"] = (200, users(unasked="Graph asks for patience."))
    result = manage("users", "--search", "zoe", *options)

    words = " ".join((result.out + result.err).split())
    assert result.code == 4
    assert "Microsoft 365 could not be searched: Graph asks for patience." in words


def test_users_as_csv(manage: Manage, console: ConsoleDouble):
    """Matching users of all pages, in columns whose order programs may rely on."""
    odd = entry(2, displayName='Anne "Ann", Ltd', missingSince=NOON, status="no-photo")
    console.answers("users", users(entry(1), token="t1"), users(token="t2"), users(odd))
    result = manage("users", "--csv", "--status", "failed")

    assert (result.code, result.err) == (0, "")
    asked = [(query["status"], query.get("token")) for query in console.queries]
    assert asked == [("failed", None), ("failed", "t1"), ("failed", "t2")]
    header, first, second, end = result.out.split("\r\n")
    assert header == (
        "userPrincipalName,displayName,status,reason,detail,checkedAt,syncedAt,missingSince,userId,"
        "damage,wouldChange"
    )
    why = "photo-refused,The photo cannot be read."
    assert first == f"person1@contoso.com,Person 1,failed,{why},{NOON},,,{entry(1)['userId']},,"
    assert second == (
        f'person2@contoso.com,"Anne ""Ann"", Ltd",no-photo,{why},{NOON},,{NOON},{odd["userId"]},,'
    )
    assert end == ""


@pytest.mark.parametrize("options", [[], ["--csv"]])
@pytest.mark.parametrize("tokens", [["t1", "t1"], ["t1", "t2", "t1"]], ids=["same", "earlier"])
def test_endless_list(manage, console: ConsoleDouble, tokens: list[str], options: list[str]):
    """Pages that lead in a circle are an error, and no part of a list passes for the whole."""
    entries = [entry(1)] if options else []
    console.answers("users", *(users(*entries, token=token) for token in tokens), users())
    assert_one_sentence(manage("users", *options), 4, "The list does not end")


@pytest.mark.usefixtures("failed")
def test_failures(manage: Manage, console: ConsoleDouble):
    """All failed users are listed, also after an empty page: code 1."""
    shown = ("person1@", "person2@", "person3@", "The photo cannot be read.", "3 failed")
    assert_printed(manage("failures"), 1, *shown)
    assert {query["status"] for query in console.queries} == {"failed"}


def test_failures_as_csv(manage: Manage, failed: list[dict[str, Any]]):
    """CSV has a header and one line each, and no cell that a spreadsheet would run."""
    result = manage("failures", "--csv")

    assert result.code == 1
    assert [row["userId"] for row in result.rows] == [one["userId"] for one in failed]
    assert result.rows[1]["displayName"] == '\'=cmd("x"), Ltd'


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
def test_harmful_cells(manage, console, command, name, cell):
    """No cell is a formula, even if semicolons separate cells, or controls a terminal."""
    console.routes["GET", "users"] = (200, users(entry(1, displayName=name)))
    [row] = manage(command, "--csv").rows

    assert row["displayName"] == cell


def test_cell_that_closes_its_quotation(manage: Manage, console: ConsoleDouble):
    """If semicolons separate cells, a quotation mark after one is dropped."""
    console.routes["GET", "users"] = (200, users(entry(1, displayName='Jo;"=cmd|x!A0;Jo')))
    cells = list(csv.reader(io.StringIO(manage("users", "--csv").out), delimiter=";"))[1]

    assert cells[1] == "'=cmd|x!A0"


def test_nobody_failed(manage: Manage):
    """No failures: code 0, and CSV is the header alone."""
    assert manage("failures").code == 0
    assert manage("failures", "--csv").out.splitlines() == [
        "userPrincipalName,displayName,reason,detail,checkedAt,userId"
    ]
