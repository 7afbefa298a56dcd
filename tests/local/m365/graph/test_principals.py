"""The simulated directory: service principals, app roles, and who may grant them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.m365.tenant import directory
from local.m365.tenant.admins import APPLICATIONS, CLOUD_APPLICATIONS, GLOBAL, PRIVILEGED, SITES
from local.m365.tenant.roles import GRAPH, SHAREPOINT, Resource
from tests.local.m365.entra.test_entra import claims_of, scope
from tests.local.m365.simulator import (
    ADMIN_APP,
    DIRECTORY_SCOPES,
    IDENTITY,
    POOR_APP,
    Cloud,
    HostSession,
)


def order(m365: Cloud, resource: Resource, role: str, app: str = POOR_APP) -> dict[str, str]:
    return {
        "principalId": directory.principal_id(m365.tenant, app),
        "resourceId": directory.principal_id(m365.tenant, resource.app_id),
        "appRoleId": resource.roles.get(role, role),
    }


def grant(
    m365: Cloud, session: HostSession, resource: Resource, role: str, app: str = POOR_APP
) -> requests.Response:
    body = order(m365, resource, role, app)
    path = f"/servicePrincipals/{body['resourceId']}/appRoleAssignedTo"
    return session.post(path, json=body)


def error(answer: requests.Response) -> tuple[int, str, str]:
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["message"]


READ_APPS = "Application.Read.All"
DENIED = (
    403,
    "Authorization_RequestDenied",
    "Insufficient privileges to complete the operation.",
)


def test_roles_of_a_resource(m365: Cloud):
    """By application id or object id; each role has an id, a value and allowed member types."""
    with m365.signed_in() as session:
        found = session.get(f"/servicePrincipals(appId='{GRAPH.app_id}')").json()
        again = session.get(f"/servicePrincipals/{found['id']}?$select=appRoles").json()

    roles = {role["value"]: role for role in found["appRoles"]}
    assert roles["User.Read.All"]["id"] == GRAPH.roles["User.Read.All"]
    assert roles["User.Read.All"]["allowedMemberTypes"] == ["Application"]
    assert again["appRoles"] == found["appRoles"]
    assert "displayName" not in again


def test_a_granted_role_is_in_the_next_token(m365: Cloud):
    """A grant is listed and effective in a new token; after its revocation it is not."""

    def rights() -> tuple[Any, int]:
        graph = m365.tenant.urls.graph
        token = m365.client(POOR_APP).acquire_token_for_client(scope(graph))
        with HostSession(graph, token["access_token"]) as session:
            status = session.get("/v1.0/users").status_code
        return claims_of(token).get("roles", []), status

    assert rights() == ([], 403)
    with m365.signed_in(PRIVILEGED) as session:
        made = grant(m365, session, GRAPH, "User.Read.All")
        assert made.status_code == 201
        assert rights() == (["User.Read.All"], 200)
        granted = session.get(f"/servicePrincipals(appId='{POOR_APP}')/appRoleAssignments").json()
        (one,) = [one for one in granted["value"] if one["resourceDisplayName"] == GRAPH.name]
        assert one["id"] == made.json()["id"]
        path = f"/servicePrincipals/{one['resourceId']}/appRoleAssignedTo/{one['id']}"
        assert session.delete(path).status_code == 204
    assert rights() == ([], 403)


def test_a_managed_identity_is_granted_roles_too(m365: Cloud):
    """It has a service principal like any app, of its own type."""
    with m365.signed_in(PRIVILEGED) as session:
        shown = session.get(f"/servicePrincipals(appId='{IDENTITY}')").json()
        made = grant(m365, session, GRAPH, "User.Read.All", IDENTITY)

    assert shown["servicePrincipalType"] == "ManagedIdentity"
    assert made.json()["principalId"] == shown["id"]


def test_bad_grants(m365: Cloud):
    """A role that is already granted, one of another resource, and an unknown object."""
    with m365.signed_in(GLOBAL) as session:
        assert grant(m365, session, GRAPH, "Mail.Read").status_code == 201
        again = grant(m365, session, GRAPH, "Mail.Read")
        foreign = grant(m365, session, GRAPH, SHAREPOINT.roles["Sites.Selected"])
        nobody = grant(m365, session, GRAPH, "Mail.Read", app="nobody")

    text = "Permission being assigned already exists on the object"
    assert error(again) == (400, "Request_BadRequest", text)
    assert error(foreign)[0] == 400
    assert "was not found on application" in error(foreign)[2]
    assert error(nobody)[:2] == (404, "Request_ResourceNotFound")


@pytest.mark.parametrize(
    ("role", "on_graph", "on_sharepoint"),
    [
        (GLOBAL, 201, 201),
        (PRIVILEGED, 201, 201),
        (APPLICATIONS, 403, 201),
        (CLOUD_APPLICATIONS, 403, 201),
        (SITES, 403, 403),
    ],
)
def test_the_directory_role_decides(m365: Cloud, role: str, on_graph: int, on_sharepoint: int):
    """Roles of Graph need a Privileged Role Administrator, those of other resources less."""
    with m365.signed_in(role) as session:
        graph = grant(m365, session, GRAPH, "Mail.Read", IDENTITY)
        sharepoint = grant(m365, session, SHAREPOINT, "Sites.Selected", IDENTITY)

    assert (graph.status_code, sharepoint.status_code) == (on_graph, on_sharepoint)


def test_revoking_needs_the_right_to_grant(m365: Cloud):
    """An Application Administrator cannot revoke a role of Graph."""
    with m365.signed_in(GLOBAL) as session:
        made = grant(m365, session, GRAPH, "Mail.Read").json()
    path = f"/servicePrincipals/{made['resourceId']}/appRoleAssignedTo/{made['id']}"

    with m365.signed_in(APPLICATIONS) as session:
        assert error(session.delete(path)) == DENIED


def test_the_scope_decides_too(m365: Cloud):
    """The highest role is not enough if the token lacks the scope."""
    path = f"/servicePrincipals(appId='{ADMIN_APP}')"
    with m365.signed_in(GLOBAL, scopes=("Application.Read.All",)) as session:
        assert error(grant(m365, session, GRAPH, "Mail.Read")) == DENIED
        assert session.get(path).status_code == 200
    with m365.signed_in(GLOBAL, scopes=("User.Read",)) as session:
        assert error(session.get(path)) == DENIED


@pytest.mark.parametrize(("scope", "status"), [("User.ReadBasic.All", 200), (READ_APPS, 403)])
def test_scopes_of_a_person(m365: Cloud, scope: str, status: int):
    """They allow what is documented for people, and none of PhotoSync's own calls."""
    anne = m365.add_user("anne")
    with m365.signed_in(GLOBAL, scopes=(scope,)) as session:
        assert session.get(f"/users/{anne.id}").status_code == status
        assert session.get(f"/users/{anne.id}/photos/48x48").status_code == 403


def test_replication_takes_time(m365: Cloud):
    """With `directoryLag`, the first requests do not see a new application and its principal."""
    m365.tenant.switches.directory_lag = 2
    with m365.signed_in(GLOBAL, scopes=DIRECTORY_SCOPES) as session:
        client_id = session.post("/applications", json={"displayName": "New"}).json()["appId"]
        body = {"appId": client_id}
        tries = [session.post("/servicePrincipals", json=body) for _ in range(3)]
        first = grant(m365, session, GRAPH, "Mail.Read", client_id)
        second = session.get(f"/servicePrincipals(appId='{client_id}')")
        third = grant(m365, session, GRAPH, "Mail.Read", client_id)

    assert [answer.status_code for answer in tries] == [400, 400, 201]
    assert "does not reference a valid application object" in error(tries[0])[2]
    assert error(first) == (400, "Request_BadRequest", "Not a valid reference update.")
    assert second.status_code == 404
    assert third.status_code == 201
