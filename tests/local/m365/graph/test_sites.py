"""The simulated Graph: permissions of apps on the root of the My Site host."""

from __future__ import annotations

from typing import Any

import pytest

from local.m365.tenant.admins import GLOBAL, PRIVILEGED, SITES
from tests.local.m365.picture_library import upload
from tests.local.m365.simulator import (
    DIRECTORY_SCOPES,
    PHOTOSYNC_APP,
    POOR_APP,
    TENANT_ID,
    Cloud,
    HostSession,
    refusal,
)

SITE = "/sites/contoso-my.sharepoint.com"


def permissions(session: HostSession) -> str:
    return f"/sites/{session.get(SITE).json()['id']}/permissions"


def order(role: str = "write", app: str = POOR_APP) -> dict[str, Any]:
    identity = {"application": {"id": app, "displayName": "Poor"}}
    return {"roles": [role], "grantedToIdentities": [identity]}


def upload_status(m365: Cloud) -> int:
    """SharePoint's status for an upload by the app that has only Sites.Selected."""
    with m365.session(m365.tenant.urls.my, POOR_APP) as session:
        return upload(session, "x_MThumb.jpg", b"x").status_code


def test_permission_opens_the_site(m365: Cloud):
    """With Sites.Selected an app may write if its permission is `write`, not if it is `read`."""
    with m365.signed_in(SITES) as session:
        path = permissions(session)
        assert upload_status(m365) == 403
        made = session.post(path, json=order())
        assert (made.status_code, upload_status(m365)) == (201, 200)
        one = f"{path}/{made.json()['id']}"
        assert session.patch(one, json={"roles": ["read"]}).status_code == 200
        assert upload_status(m365) == 403
        assert session.delete(one).status_code == 204
        assert session.get(one).status_code == 404


def test_list_omits_roles(m365: Cloud):
    """As reported; a single permission has its roles, and a switch adds them to the list."""
    with m365.signed_in(GLOBAL) as session:
        path = permissions(session)
        listed = session.get(path).json()["value"]
        apps = {each["grantedToIdentitiesV2"][0]["application"]["id"]: each for each in listed}
        shown = session.get(f"{path}/{apps[PHOTOSYNC_APP]['id']}").json()
        m365.tenant.switches.site_lists_show_roles = True
        again = session.get(path).json()["value"]

    assert not any("roles" in one for one in listed)
    assert shown["roles"] == ["write"]
    assert {one["roles"][0] for one in again} == {"read", "write"}


@pytest.mark.parametrize(
    ("roles", "scopes", "reads", "grants"),
    [
        ([SITES], ("Sites.FullControl.All",), 200, 201),
        ([GLOBAL], ("Sites.FullControl.All",), 200, 201),
        ([PRIVILEGED], ("Sites.FullControl.All",), 200, 403),
        ([GLOBAL, SITES], ("Sites.Read.All",), 200, 403),
        ([GLOBAL, SITES], DIRECTORY_SCOPES, 403, 403),
    ],
)
def test_scope_and_role_decide(
    m365: Cloud, roles: list[str], scopes: tuple[str, ...], reads: int, grants: int
):
    """Granting needs Sites.FullControl.All and at least a SharePoint Administrator."""
    with m365.signed_in(SITES) as session:
        path = permissions(session)
    with m365.signed_in(*roles, scopes=scopes) as session:
        seen, made = session.get(SITE), session.post(path, json=order())

    assert (seen.status_code, made.status_code) == (reads, grants)
    assert made.ok or refusal(made) == (403, "accessDenied")


@pytest.mark.parametrize(
    "body", [order(role="everything"), order(app=TENANT_ID), {"roles": ["write"]}]
)
def test_bad_orders_are_refused(m365: Cloud, body: dict[str, Any]):
    """An unknown role, an unknown application, none at all; another site is a 404."""
    with m365.signed_in(SITES) as session:
        assert session.post(permissions(session), json=body).status_code == 400
        assert session.get("/sites/fabrikam.sharepoint.com").status_code == 404
