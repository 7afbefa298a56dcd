"""`failures --dismiss`: lines that were dealt with leave the list, after a question."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import NOON, Asked, ConsoleDouble, entry, overview


@pytest.fixture
def orders(console: ConsoleDouble) -> list[Any]:
    given: list[Any] = []

    def dismiss(asked: Asked) -> tuple[int, Any]:
        given.append(asked.body)
        return 200, {"dismissed": len(asked.body.get("users", [])), "unreadableTo": ""}

    console.routes["POST", "dismiss"] = dismiss
    return given


def test_dismissed_failures(manage: Manage, console: ConsoleDouble):
    """They are left out and make no exit code, and --all shows them."""
    users = [entry(1, dismissed=True), entry(2, dismissed=False)]
    console.routes["GET", "users"] = (200, {"users": users, "token": "", "complete": True})
    said = manage("failures")
    assert (said.code, "person1@" in said.out, "person2@" in said.out) == (1, False, True)
    assert "1 more dismissed" in said.out
    assert "(dismissed)" in manage("failures", "--all").out

    console.routes["GET", "users"] = (200, {"users": users[:1], "token": "", "complete": True})
    assert manage("failures").code == 0
    console.routes["GET", "overview"] = (200, overview(counts={"failed": 1}, dismissed=1))
    assert manage("status").code == 0


def test_dismiss(manage: Manage, console: ConsoleDouble, orders: list[Any]):
    """Users and the messages that were shown are named in one order."""
    aside = [{"at": NOON, "body": "x", "reason": "y", "name": "z"}]
    told = overview(unreadable=aside, unreadableCount=1)
    console.routes["GET", "overview"] = (200, told)
    said = manage("failures", "--dismiss", "a@contoso.com", "--dismiss-unreadable", "--yes")

    assert (said.code, orders) == (0, [{"users": ["a@contoso.com"], "unreadableTo": NOON}])
    assert "the failure of a@contoso.com, 1 unreadable messages" in said.out


def test_nothing_is_dismissed_unasked(manage: Manage, orders: list[Any]):
    """Without a terminal it needs --yes; it cannot be combined with a list."""
    assert "give --yes" in manage("failures", "--dismiss", "a@contoso.com").err
    assert manage("failures", "--dismiss", "a@contoso.com", "--csv", "--yes").code == 2
    assert manage("failures", "--dismiss-unreadable").code == 0
    assert orders == []
