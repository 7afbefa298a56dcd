"""`failures --dismiss`: lines that were dealt with leave the list, after a question."""

from __future__ import annotations

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, entry, overview, users


def test_dismissed_failures(manage: Manage, console: ConsoleDouble):
    """They are left out and make no exit code, and --all shows them."""
    dismissed = entry(1, dismissed=True)
    console.routes["GET", "users"] = (200, users(dismissed, entry(2)))
    result = manage("failures")
    assert_printed(result, 1, "person2@", "1 more dismissed")
    assert "person1@" not in result.out
    assert "(dismissed)" in manage("failures", "--all").out

    console.routes["GET", "users"] = (200, users(dismissed))
    assert manage("failures").code == 0
    console.routes["GET", "overview"] = (200, overview(counts={"failed": 1}, dismissed=1))
    assert manage("status").code == 0


def test_dismiss(manage: Manage, console: ConsoleDouble):
    """Users and the messages that were shown are named in one order."""
    aside = [{"at": NOON, "body": "x", "reason": "y", "name": "z"}]
    console.routes["GET", "overview"] = (200, overview(unreadable=aside, unreadableCount=1))
    console.routes["POST", "dismiss"] = (200, {"dismissed": 1, "unreadableTo": ""})
    result = manage("failures", "--dismiss", "a@contoso.com", "--dismiss-unreadable", "--yes")

    assert_printed(result, 0, "the failure of a@contoso.com, 1 unreadable messages")
    assert console.orders == [{"users": ["a@contoso.com"], "unreadableTo": NOON}]


def test_dismissal_needs_a_yes(manage: Manage, console: ConsoleDouble):
    """Without a terminal it needs --yes; it cannot be combined with a list."""
    assert "give --yes" in manage("failures", "--dismiss", "a@contoso.com").err
    assert manage("failures", "--dismiss", "a@contoso.com", "--csv", "--yes").code == 2
    assert manage("failures", "--dismiss-unreadable").code == 0
    assert console.orders == []
