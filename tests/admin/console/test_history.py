"""`history`: who ordered what, in a table, as CSV, and since when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import ANNE, history, order

JO = {"via": "person", "name": "=jo@contoso.com", "id": "0b000000-0000-4000-8000-000000000001"}


@pytest.fixture
def given(console: ConsoleDouble) -> None:
    """Two orders, on two pages."""
    swept = order(order="sweep", by={"via": "key"}, userId="", userPrincipalName="")
    pages = {"": history(order(by=JO, options="force"), token="t1"), "t1": history(swept)}
    console.routes["GET", "history"] = lambda asked: (200, pages[asked.query.get("token", "")])


@pytest.mark.usefixtures("given")
def test_history(manage: Manage):
    """Each order is a line: when, who, what, for whom, and the result."""
    result = manage("history")
    lines = [" ".join(line.split()) for line in result.out.splitlines()]

    assert result.code == 0
    assert lines[1] == "2026-01-31 12:00:00Z =jo@contoso.com replay force anne@contoso.com synced"
    assert lines[2] == "2026-01-31 12:00:00Z key sweep synced"
    assert lines[3] == "2 listed."
    assert [one["order"] for one in manage("history", "--json").document] == ["replay", "sweep"]


@pytest.mark.usefixtures("given")
def test_history_as_csv(manage: Manage):
    """A name that a spreadsheet would run as a formula is escaped."""
    replayed, swept = manage("history", "--csv").rows

    assert (replayed["via"], replayed["byName"]) == ("person", "'=jo@contoso.com")
    assert (replayed["byId"], replayed["userId"]) == (JO["id"], ANNE)
    assert (swept["via"], swept["byName"], swept["order"]) == ("key", "", "sweep")


def test_for_one_user_and_since(manage: Manage, console: ConsoleDouble):
    """USER and --since narrow it; a date without a zone is UTC's."""
    console.routes["GET", "history"] = (200, history())
    result = manage("history", "anne@contoso.com", "--since", "2026-02-27")

    assert (result.code, result.out) == (0, "No orders.\n")
    assert console.asked[-1].query == {
        "user": "anne@contoso.com",
        "since": "2026-02-27T00:00:00+00:00",
    }
    manage("history", "--since", "7d")
    since = datetime.fromisoformat(console.asked[-1].query["since"])
    assert timedelta(days=7) <= datetime.now(UTC) - since < timedelta(days=8)


@pytest.mark.parametrize("since", ["yesterday", "7", "2026-13-01", "9999999d"])
def test_invalid_since(manage: Manage, console: ConsoleDouble, since: str):
    """Anything else is refused without a request."""
    assert_printed(manage("history", "--since", since), 2, err="7d")
    assert console.asked == []


def test_damaged_lines(manage: Manage, console: ConsoleDouble):
    """If parts of the log are unreadable, the output says so."""
    console.routes["GET", "history"] = (200, history(order(), damaged=2))
    assert_printed(manage("history"), 0, err="left out")
