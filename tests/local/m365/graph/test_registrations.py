"""The simulated directory: changes of a registration, its roles and consents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.m365.tenant.admins import APPLICATIONS, SITES
from local.m365.tenant.roles import GRAPH
from tests.local.m365.simulator import DIRECTORY_SCOPES, Cloud, HostSession

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
def admin(m365: Cloud) -> Iterator[HostSession]:
    with m365.signed_in(APPLICATIONS, scopes=MAY_CONSENT) as session:
        yield session


@pytest.fixture
def made(admin: HostSession) -> dict[str, Any]:
    """A registration with a role and a scope, and its service principal."""
    body = {"displayName": "Own", "appRoles": ROLES, "api": {"oauth2PermissionScopes": SCOPES}}
    application = admin.post("/applications", json=body).json()
    body = {"appId": application["appId"]}
    return {**application, "principal": admin.post("/servicePrincipals", json=body).json()["id"]}


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
def test_bad_changes_are_refused(admin: HostSession, made: dict[str, Any], change: dict[str, Any]):
    """400, and the registration stays unchanged."""
    one = f"/applications/{made['id']}"
    before = admin.get(one).json()

    assert admin.patch(one, json=change).status_code == 400
    assert admin.get(one).json() == before


def test_client_is_preauthorized_for_an_existing_scope(admin: HostSession, made: dict[str, Any]):
    """Once the scope exists, a client may be named for it; the rest of `api` is replaced."""
    one = f"/applications/{made['id']}"
    clients = [known_client(SCOPE)]
    api = {"oauth2PermissionScopes": SCOPES, "preAuthorizedApplications": clients}

    assert admin.patch(one, json={"api": api}).status_code == 204
    assert admin.get(one).json()["api"]["preAuthorizedApplications"] == clients


def test_roles_are_assigned_once(m365: Cloud, admin: HostSession, made: dict[str, Any]):
    """To existing people, for existing roles; the resource lists them."""
    anne = m365.add_user("anne")
    at = f"/servicePrincipals/{made['principal']}/appRoleAssignedTo"
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


def test_consent_needs_an_admin(m365: Cloud, admin: HostSession, made: dict[str, Any]):
    """With the right role and scope; once per client and resource, for scopes that exist."""
    grants = "/oauth2PermissionGrants"
    known = admin.get(f"/servicePrincipals(appId='{GRAPH.app_id}')").json()["id"]
    body = {"clientId": made["principal"], "consentType": "AllPrincipals", "resourceId": known}

    refused = {}
    for role, scopes in ((SITES, MAY_CONSENT), (APPLICATIONS, DIRECTORY_SCOPES)):
        with m365.signed_in(role, scopes=scopes) as session:
            refused[role] = session.post(grants, json={**body, "scope": "openid"}).status_code
    assert refused == {SITES: 403, APPLICATIONS: 403}
    assert admin.post(grants, json={**body, "scope": "Mail.Read"}).status_code == 400
    assert admin.post(grants, json={**body, "scope": "openid"}).status_code == 201
    assert admin.post(grants, json={**body, "scope": "openid"}).status_code == 409
    own = {**body, "resourceId": made["principal"], "scope": "open"}
    assert admin.post(grants, json=own).status_code == 201
    listed = admin.get(f"/servicePrincipals/{made['principal']}/oauth2PermissionGrants").json()
    assert [one["scope"] for one in listed["value"]] == ["openid", "open"]
