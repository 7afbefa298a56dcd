"""The simulated Graph: what an app may do on the root of the My Site host."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.m365.tenant.admins import GLOBAL, PRIVILEGED, SITES
from tests.local.m365.admins import DIRECTORY_SCOPES, signed_in
from tests.local.m365.simulator import PHOTOSYNC_APP, POOR_APP, TENANT_ID, Cloud

FOLDER = "/_api/web/GetFolderByServerRelativePath(decodedurl='/User Photos/Profile Pictures')"


def sites(m365: Cloud) -> str:
    return f"{m365.tenant.urls.graph}/v1.0/sites"


def permissions(m365: Cloud, session: requests.Session) -> str:
    site = session.get(f"{sites(m365)}/contoso-my.sharepoint.com", timeout=10).json()
    return f"{sites(m365)}/{site['id']}/permissions"


def order(role: str = "write", app: str = POOR_APP) -> dict[str, Any]:
    identity = {"application": {"id": app, "displayName": "Poor"}}
    return {"roles": [role], "grantedToIdentities": [identity]}


def upload(m365: Cloud) -> int:
    """What SharePoint answers when the poor app writes a file."""
    my = m365.tenant.urls.my
    with m365.session(my, POOR_APP) as session:
        path = f"{FOLDER}/Files/AddUsingPath(decodedurl='x_MThumb.jpg',overwrite=true)"
        return session.post(my + path, data=b"x", timeout=10).status_code


def test_a_permission_opens_the_site(m365: Cloud):
    """`read` does not let an app with Sites.Selected write, `write` does, none does not."""
    with signed_in(m365, SITES) as session:
        url = permissions(m365, session)
        assert upload(m365) == 403
        made = session.post(url, json=order(), timeout=10)
        assert made.status_code == 201
        assert upload(m365) == 200
        one = f"{url}/{made.json()['id']}"
        assert session.patch(one, json={"roles": ["read"]}, timeout=10).status_code == 200
        assert upload(m365) == 403
        assert session.delete(one, timeout=10).status_code == 204
        assert session.get(one, timeout=10).status_code == 404


def test_a_list_is_without_roles(m365: Cloud):
    """As reported; each permission tells its own roles, and a switch makes the list do so."""
    with signed_in(m365, GLOBAL) as session:
        url = permissions(m365, session)
        listed = session.get(url, timeout=10).json()["value"]
        (mine,) = (
            one
            for one in listed
            if one["grantedToIdentitiesV2"][0]["application"]["id"] == PHOTOSYNC_APP
        )
        shown = session.get(f"{url}/{mine['id']}", timeout=10).json()
        m365.tenant.switches.site_lists_show_roles = True
        again = session.get(url, timeout=10).json()["value"]

    assert not any("roles" in one for one in listed)
    assert shown["roles"] == ["write"]
    assert {one["roles"][0] for one in again} == {"read", "write"}


@pytest.mark.parametrize(
    ("roles", "scopes", "looks", "grants"),
    [
        ([SITES], ("Sites.FullControl.All",), 200, 201),
        ([GLOBAL], ("Sites.FullControl.All",), 200, 201),
        ([PRIVILEGED], ("Sites.FullControl.All",), 200, 403),
        ([GLOBAL, SITES], ("Sites.Read.All",), 200, 403),
        ([GLOBAL, SITES], DIRECTORY_SCOPES, 403, 403),
    ],
)
def test_scope_and_role_decide(
    m365: Cloud, roles: list[str], scopes: tuple[str, ...], looks: int, grants: int
):
    """A permission takes Sites.FullControl.All and a SharePoint Administrator or higher."""
    with signed_in(m365, SITES) as session:
        url = permissions(m365, session)
    with signed_in(m365, *roles, scopes=scopes) as session:
        seen = session.get(f"{sites(m365)}/contoso-my.sharepoint.com", timeout=10)
        made = session.post(url, json=order(), timeout=10)

    assert (seen.status_code, made.status_code) == (looks, grants)
    if made.status_code == 403:
        assert made.json()["error"]["code"] == "accessDenied"


@pytest.mark.parametrize(
    "body", [order(role="everything"), order(app=TENANT_ID), {"roles": ["write"]}]
)
def test_bad_orders_are_refused(m365: Cloud, body: dict[str, Any]):
    """An unknown role, an unknown application, none at all; and another site is not there."""
    with signed_in(m365, SITES) as session:
        assert session.post(permissions(m365, session), json=body, timeout=10).status_code == 400
        assert session.get(f"{sites(m365)}/fabrikam.sharepoint.com", timeout=10).status_code == 404
