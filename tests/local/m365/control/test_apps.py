"""Roles taken from an app registration and given back."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.local.m365.control.test_control import refused, sim
from tests.local.m365.simulator import ADMIN_APP, Cloud


def roles(m365: Cloud, order: dict[str, Any]) -> Any:
    shown = sim(m365, "POST", f"/apps/{ADMIN_APP}/roles", order)["apps"]
    return next(app["roles"] for app in shown if app["clientId"] == ADMIN_APP)


def status(m365: Cloud, token: str) -> int:
    users = f"{m365.tenant.urls.graph}/v1.0/users"
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(users, headers=headers, timeout=10).status_code


def fresh(m365: Cloud) -> str:
    m365.tokens.clear()
    return m365.token(m365.tenant.urls.graph)


ALL = ["User.Read.All", "User.ReadWrite.All"]


def test_a_role_is_taken_and_given_back(m365: Cloud):
    """New tokens are without it; those that are out keep it to their end, as in Entra."""
    old = fresh(m365)

    left = roles(m365, {"resource": "graph", "take": ALL})
    assert not set(left["graph"]).intersection(ALL)
    assert "User.ReadWrite.All" in left["sharepoint"]
    assert (status(m365, old), status(m365, fresh(m365))) == (200, 403)

    assert set(roles(m365, {"resource": "graph", "give": ALL})["graph"]).issuperset(ALL)
    assert status(m365, fresh(m365)) == 200


def test_old_tokens_lose_the_role_on_demand(m365: Cloud):
    """`oldTokens` spares a test the hour that a token lives."""
    old = fresh(m365)
    roles(m365, {"resource": "graph", "take": ALL, "oldTokens": True})

    assert status(m365, old) == 403

    sim(m365, "POST", "/reset")
    assert status(m365, old) == 200


@pytest.mark.parametrize(
    "order",
    [
        {"resource": "teams", "take": []},
        {"resource": "graph", "take": ["Mail.Read"]},
        {"resource": "graph", "take": "User.Read.All"},
        {"resource": "graph", "remove": ["User.Read.All"]},
        {"resource": "graph", "take": ["User.Read.All"], "oldTokens": 1},
    ],
)
def test_orders_for_roles_are_checked(m365: Cloud, order: dict[str, Any]):
    """400, and every role stays."""
    before = sim(m365, "GET", "/apps")

    assert refused(m365, "POST", f"/apps/{ADMIN_APP}/roles", order) == 400
    assert refused(m365, "POST", "/apps/nobody/roles", {"resource": "graph"}) == 400
    assert sim(m365, "GET", "/apps") == before
