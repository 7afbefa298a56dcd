"""The simulated directory: service principals, app roles, and who may grant them."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from local.m365.tenant import directory
from local.m365.tenant.admins import APPLICATIONS, CLOUD_APPLICATIONS, GLOBAL, PRIVILEGED, SITES
from local.m365.tenant.roles import GRAPH, SHAREPOINT, Resource
from tests.local.m365.admins import DIRECTORY_SCOPES, signed_in
from tests.local.m365.entra.test_entra import claims_of, scope
from tests.local.m365.simulator import ADMIN_APP, IDENTITY, POOR_APP, Cloud


def base(m365: Cloud) -> str:
    return f"{m365.tenant.urls.graph}/v1.0/servicePrincipals"


def order(m365: Cloud, resource: Resource, role: str, app: str = POOR_APP) -> dict[str, str]:
    return {
        "principalId": directory.principal_id(m365.tenant, app),
        "resourceId": directory.principal_id(m365.tenant, resource.app_id),
        "appRoleId": resource.roles.get(role, role),
    }


def grant(
    m365: Cloud, session: requests.Session, resource: Resource, role: str, app: str = POOR_APP
) -> requests.Response:
    body = order(m365, resource, role, app)
    url = f"{base(m365)}/{body['resourceId']}/appRoleAssignedTo"
    return session.post(url, json=body, timeout=10)


def error(answer: requests.Response) -> tuple[int, str, str]:
    told = answer.json()["error"]
    return answer.status_code, told["code"], told["message"]


DENIED = (
    403,
    "Authorization_RequestDenied",
    "Insufficient privileges to complete the operation.",
)


def test_a_resource_tells_its_roles(m365: Cloud):
    """By application id or object id; each role has an id, a value and who may have it."""
    with signed_in(m365) as session:
        found = session.get(f"{base(m365)}(appId='{GRAPH.app_id}')", timeout=10).json()
        again = session.get(f"{base(m365)}/{found['id']}?$select=appRoles", timeout=10).json()

    roles = {role["value"]: role for role in found["appRoles"]}
    assert roles["User.Read.All"]["id"] == GRAPH.roles["User.Read.All"]
    assert roles["User.Read.All"]["allowedMemberTypes"] == ["Application"]
    assert again["appRoles"] == found["appRoles"]
    assert "displayName" not in again


def test_a_granted_role_is_in_the_next_token(m365: Cloud):
    """Granting is listed, opens the door with a new token, and revoking closes it again."""
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    def asks() -> tuple[Any, int]:
        token = m365.client(POOR_APP).acquire_token_for_client(scope(m365.tenant.urls.graph))
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        return claims_of(token).get("roles", []), requests.get(
            users, headers=bearer, timeout=10
        ).status_code

    assert asks() == ([], 403)
    with signed_in(m365, PRIVILEGED) as session:
        made = grant(m365, session, GRAPH, "User.Read.All")
        assert made.status_code == 201
        assert asks() == (["User.Read.All"], 200)
        listed = f"{base(m365)}(appId='{POOR_APP}')/appRoleAssignments"
        (one,) = [
            each
            for each in session.get(listed, timeout=10).json()["value"]
            if each["resourceDisplayName"] == GRAPH.name
        ]
        assert one["id"] == made.json()["id"]
        gone = session.delete(
            f"{base(m365)}/{one['resourceId']}/appRoleAssignedTo/{one['id']}", timeout=10
        )
        assert gone.status_code == 204
    assert asks() == ([], 403)


def test_a_managed_identity_is_granted_roles_too(m365: Cloud):
    """It has a service principal like any app, and says that it is one."""
    with signed_in(m365, PRIVILEGED) as session:
        shown = session.get(f"{base(m365)}(appId='{IDENTITY}')", timeout=10).json()
        made = grant(m365, session, GRAPH, "User.Read.All", IDENTITY)

    assert shown["servicePrincipalType"] == "ManagedIdentity"
    assert made.json()["principalId"] == shown["id"]


def test_what_is_wrong_with_a_grant_is_told(m365: Cloud):
    """A second time, a role of another resource, and an object that is not there."""
    with signed_in(m365, GLOBAL) as session:
        assert grant(m365, session, GRAPH, "Mail.Read").status_code == 201
        again = grant(m365, session, GRAPH, "Mail.Read")
        alien = grant(m365, session, GRAPH, SHAREPOINT.roles["Sites.Selected"])
        nobody = grant(m365, session, GRAPH, "Mail.Read", app="nobody")

    text = "Permission being assigned already exists on the object"
    assert error(again) == (400, "Request_BadRequest", text)
    assert error(alien)[0] == 400
    assert "was not found on application" in error(alien)[2]
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
    """Graph's roles take a Privileged Role Administrator, those of others less."""
    with signed_in(m365, role) as session:
        graph = grant(m365, session, GRAPH, "Mail.Read", IDENTITY)
        sharepoint = grant(m365, session, SHAREPOINT, "Sites.Selected", IDENTITY)

    assert (graph.status_code, sharepoint.status_code) == (on_graph, on_sharepoint)


def test_a_role_is_taken_only_by_who_may_give_it(m365: Cloud):
    """An Application Administrator does not take a role of Graph away either."""
    with signed_in(m365, GLOBAL) as session:
        made = grant(m365, session, GRAPH, "Mail.Read").json()
    url = f"{base(m365)}/{made['resourceId']}/appRoleAssignedTo/{made['id']}"

    with signed_in(m365, APPLICATIONS) as session:
        assert error(session.delete(url, timeout=10)) == DENIED


def test_the_scope_decides_too(m365: Cloud):
    """The highest role does not help a token that lacks the scope."""
    with signed_in(m365, GLOBAL, scopes=("Application.Read.All",)) as session:
        assert error(grant(m365, session, GRAPH, "Mail.Read")) == DENIED
        assert session.get(f"{base(m365)}(appId='{ADMIN_APP}')", timeout=10).status_code == 200
    with signed_in(m365, GLOBAL, scopes=("User.Read",)) as session:
        assert error(session.get(f"{base(m365)}(appId='{ADMIN_APP}')", timeout=10)) == DENIED


def test_a_person_is_no_app(m365: Cloud):
    """A person's scopes open what is documented for people, and none of PhotoSync's own calls."""
    anne, graph = m365.add_user("anne"), f"{m365.tenant.urls.graph}/v1.0"
    statuses = {}
    for right in ("User.ReadBasic.All", "Application.Read.All"):
        with signed_in(m365, GLOBAL, scopes=(right,)) as session:
            for path in (f"/users/{anne.id}", f"/users/{anne.id}/photos/48x48"):
                statuses[right, path[-6:] == "/48x48"] = session.get(graph + path).status_code

    assert statuses == {
        ("User.ReadBasic.All", False): 200,
        ("User.ReadBasic.All", True): 403,
        ("Application.Read.All", False): 403,
        ("Application.Read.All", True): 403,
    }


def test_replication_takes_its_time(m365: Cloud):
    """With `directoryLag`, a new application and its principal are not seen at first."""
    m365.tenant.switches.directory_lag = 2
    applications = f"{m365.tenant.urls.graph}/v1.0/applications"
    with signed_in(m365, GLOBAL, scopes=DIRECTORY_SCOPES) as session:
        made = session.post(applications, json={"displayName": "New"}, timeout=10).json()
        client_id = made["appId"]
        tries = [session.post(base(m365), json={"appId": client_id}, timeout=10) for _ in range(3)]
        first = grant(m365, session, GRAPH, "Mail.Read", client_id)
        second = session.get(f"{base(m365)}(appId='{client_id}')", timeout=10)
        third = grant(m365, session, GRAPH, "Mail.Read", client_id)

    assert [answer.status_code for answer in tries] == [400, 400, 201]
    assert "does not reference a valid application object" in error(tries[0])[2]
    assert error(first) == (400, "Request_BadRequest", "Not a valid reference update.")
    assert second.status_code == 404
    assert third.status_code == 201
