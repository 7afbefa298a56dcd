"""Roles removed from an app registration and restored."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.local.m365.simulator import ADMIN_APP, TIMEOUT, Cloud

PATH = f"/apps/{ADMIN_APP}/roles"
ALL = ["User.Read.All", "User.ReadWrite.All"]


def roles(m365: Cloud, order: dict[str, Any]) -> Any:
    apps = m365.sim("POST", PATH, order)["apps"]
    return next(app["roles"] for app in apps if app["clientId"] == ADMIN_APP)


def status(m365: Cloud, token: str) -> int:
    users = f"{m365.tenant.urls.graph}/v1.0/users"
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(users, headers=headers, timeout=TIMEOUT).status_code


def new_token(m365: Cloud) -> str:
    m365.tokens.clear()
    return m365.token(m365.tenant.urls.graph)


def test_role_is_removed_and_restored(m365: Cloud):
    """New tokens lack the role; tokens already issued keep it until they expire, as in Entra."""
    old = new_token(m365)

    left = roles(m365, {"resource": "graph", "take": ALL})
    assert not set(left["graph"]).intersection(ALL)
    assert "User.ReadWrite.All" in left["sharepoint"]
    assert (status(m365, old), status(m365, new_token(m365))) == (200, 403)

    assert set(roles(m365, {"resource": "graph", "give": ALL})["graph"]).issuperset(ALL)
    assert status(m365, new_token(m365)) == 200


def test_old_tokens_lose_the_role_on_request(m365: Cloud):
    """With `oldTokens` a test need not wait an hour until they expire."""
    old = new_token(m365)
    roles(m365, {"resource": "graph", "take": ALL, "oldTokens": True})
    assert status(m365, old) == 403

    m365.sim("POST", "/reset")
    assert status(m365, old) == 200


@pytest.mark.parametrize(
    ("path", "order"),
    [
        (PATH, {"resource": "teams", "take": []}),
        (PATH, {"resource": "graph", "take": ["Mail.Read"]}),
        (PATH, {"resource": "graph", "take": "User.Read.All"}),
        (PATH, {"resource": "graph", "remove": ["User.Read.All"]}),
        (PATH, {"resource": "graph", "take": ["User.Read.All"], "oldTokens": 1}),
        ("/apps/nobody/roles", {"resource": "graph"}),
    ],
)
def test_bad_orders_are_refused(m365: Cloud, path: str, order: dict[str, Any]):
    """400, and every role stays."""
    before = m365.sim("GET", "/apps")

    assert m365.refused("POST", path, order) == 400
    assert m365.sim("GET", "/apps") == before
