"""The simulated directory: what a registration may be told, and who gets in by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.m365.tenant.admins import APPLICATIONS, SITES
from local.m365.tenant.roles import GRAPH
from tests.local.m365.admins import DIRECTORY_SCOPES, signed_in
from tests.local.m365.simulator import Cloud

SCOPE = "0a1c9a3e-6f0e-4a60-9d51-000000000001"
ROLE = "0a1c9a3e-6f0e-4a60-9d51-000000000002"
CLIENT = "0a1c9a3e-6f0e-4a60-9d51-000000000003"
ROLES = [
    {
        "id": ROLE,
        "value": "Viewer",
        "displayName": "Viewer",
        "description": "Looks.",
        "allowedMemberTypes": ["User"],
        "isEnabled": True,
    }
]
SCOPES = [
    {
        "id": SCOPE,
        "value": "open",
        "type": "User",
        "adminConsentDisplayName": "Open",
        "adminConsentDescription": "Opens.",
        "isEnabled": True,
    }
]
MAY_CONSENT = (*DIRECTORY_SCOPES, "DelegatedPermissionGrant.ReadWrite.All")


@pytest.fixture
def admin(m365: Cloud) -> Iterator[requests.Session]:
    with signed_in(m365, APPLICATIONS, scopes=MAY_CONSENT) as session:
        yield session


@pytest.fixture
def made(m365: Cloud, admin: requests.Session) -> dict[str, Any]:
    """A registration with a role and a scope, and its service principal."""
    body = {"displayName": "Own", "appRoles": ROLES, "api": {"oauth2PermissionScopes": SCOPES}}
    application = admin.post(f"{graph(m365)}/applications", json=body).json()
    principal = admin.post(
        f"{graph(m365)}/servicePrincipals", json={"appId": application["appId"]}
    ).json()
    return {**application, "principal": principal["id"]}


def graph(m365: Cloud) -> str:
    return f"{m365.tenant.urls.graph}/v1.0"


def known_client(scope: str) -> dict[str, Any]:
    return {"appId": CLIENT, "delegatedPermissionIds": [scope]}


@pytest.mark.parametrize(
    "change",
    [
        {"appRoles": []},
        {"appRoles": [{**ROLES[0], "value": "Other"}]},
        {"appRoles": [*ROLES, {**ROLES[0], "id": SCOPE}]},
        {"appRoles": [*ROLES, {"id": CLIENT, "value": "x"}]},
        {"api": {"oauth2PermissionScopes": []}},
        {"api": {"oauth2PermissionScopes": SCOPES, "requestedAccessTokenVersion": 3}},
        {
            "api": {
                "oauth2PermissionScopes": [*SCOPES, {**SCOPES[0], "id": CLIENT}],
                "preAuthorizedApplications": [known_client(CLIENT)],
            }
        },
        {
            "api": {
                "oauth2PermissionScopes": SCOPES,
                "preAuthorizedApplications": [{"appId": CLIENT, "permissionIds": [SCOPE]}],
            }
        },
        {"identifierUris": ["api://photosync"]},
        {"web": {"redirectUris": ["http://photosync.example/callback"]}},
        {"web": {"redirectUrls": []}},
        {"isFallbackPublicClient": "yes"},
        {"signInAudience": "AzureADMultipleOrgs"},
        {"passwordCredentials": []},
    ],
    ids=str,
)
def test_what_graph_does_not_take(
    m365: Cloud, admin: requests.Session, made: dict[str, Any], change: dict[str, Any]
):
    """400, and the registration is as it was."""
    one = f"{graph(m365)}/applications/{made['id']}"
    before = admin.get(one).json()

    assert admin.patch(one, json=change).status_code == 400
    assert admin.get(one).json() == before


def test_a_scope_comes_before_its_use(m365: Cloud, admin: requests.Session, made: dict[str, Any]):
    """Once it is there, a client may be named for it; the rest of `api` is replaced."""
    one = f"{graph(m365)}/applications/{made['id']}"
    clients = [known_client(SCOPE)]
    api = {"oauth2PermissionScopes": SCOPES, "preAuthorizedApplications": clients}

    assert admin.patch(one, json={"api": api}).status_code == 204
    assert admin.get(one).json()["api"]["preAuthorizedApplications"] == clients


def test_roles_are_given_once(m365: Cloud, admin: requests.Session, made: dict[str, Any]):
    """To people of the directory, for roles that there are, and listed at the resource."""
    anne = m365.add_user("anne")
    at = f"{graph(m365)}/servicePrincipals/{made['principal']}/appRoleAssignedTo"
    body = {"principalId": anne.id, "resourceId": made["principal"], "appRoleId": ROLE}

    assert admin.post(at, json=body).status_code == 201
    again = admin.post(at, json=body)
    assert again.status_code == 400
    assert "already exists" in again.json()["error"]["message"]
    assert admin.post(at, json={**body, "appRoleId": SCOPE}).status_code == 400
    assert admin.post(at, json={**body, "principalId": CLIENT}).status_code == 404
    [listed] = admin.get(at).json()["value"]
    assert (listed["principalId"], listed["principalType"]) == (anne.id, "User")
    assert admin.delete(f"{at}/{listed['id']}").status_code == 204
    assert admin.get(at).json()["value"] == []


def test_consent_is_an_admin_s(m365: Cloud, admin: requests.Session, made: dict[str, Any]):
    """For scopes that the resource has, once for a pair, with a scope and a role of its own."""
    grants = f"{graph(m365)}/oauth2PermissionGrants"
    known = admin.get(f"{graph(m365)}/servicePrincipals(appId='{GRAPH.app_id}')").json()["id"]
    body = {"clientId": made["principal"], "consentType": "AllPrincipals", "resourceId": known}

    refused = {}
    for role, scopes in ((SITES, MAY_CONSENT), (APPLICATIONS, DIRECTORY_SCOPES)):
        with signed_in(m365, role, scopes=scopes) as session:
            refused[role] = session.post(grants, json={**body, "scope": "openid"}).status_code
    assert refused == {SITES: 403, APPLICATIONS: 403}
    assert admin.post(grants, json={**body, "scope": "Mail.Read"}).status_code == 400
    assert admin.post(grants, json={**body, "scope": "openid"}).status_code == 201
    assert admin.post(grants, json={**body, "scope": "openid"}).status_code == 409
    own = {**body, "resourceId": made["principal"], "scope": "open"}
    assert admin.post(grants, json=own).status_code == 201
    listed = admin.get(
        f"{graph(m365)}/servicePrincipals/{made['principal']}/oauth2PermissionGrants"
    ).json()["value"]
    assert [one["scope"] for one in listed] == ["openid", "open"]
