"""The directory in Graph's answers: roles by their names."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from admin.grants.directory import Directory
from admin.grants.found import Application, Assignment, Principal, Resource
from admin.grants.graph import Busy, Graph
from admin.grants.wanted import GRAPH, SHAREPOINT
from admin.terminal.problems import Unsound
from tests.admin.grants.test_graph import URL, error
from tests.doubles.web import Answer, FunctionAdapter, Web, answer, in_turn

PRINCIPAL = Principal("p-1", "c-1", "id-photosync", "ManagedIdentity")
RESOURCE = Resource(GRAPH, "graph-1", {"User.Read.All": "u"})
ZERO = "00000000-0000-0000-0000-000000000000"


def role(value: str, role_id: str, **changes: Any) -> dict[str, Any]:
    members = {"allowedMemberTypes": ["User", "Application"], "isEnabled": True}
    return {"value": value, "id": role_id, **members, **changes}


def behind(web: Web) -> Directory:
    graph = Graph(URL, "token", pause=lambda _: None, transport=FunctionAdapter(web))
    return Directory(graph)


def directory(pages: dict[str, Any]) -> Directory:
    """A directory that holds *pages*, by the end of their address."""

    def web(request: requests.PreparedRequest) -> Answer:
        path = urlsplit(request.url or "").path.removeprefix("/v1.0/servicePrincipals")
        return answer(pages[path]) if path in pages else error(404)

    return behind(web)


def held(resource: str, role_id: str, name: str = "Somebody's") -> dict[str, Any]:
    ids = {"id": f"a-{resource}-{role_id}", "resourceId": resource, "appRoleId": role_id}
    return {**ids, "resourceDisplayName": name}


def test_roles_of_others_are_named_too():
    """By name if their resource can be read, else by id; access without a role is ignored."""
    found = directory(
        {
            "/p-1/appRoleAssignments": {
                "value": [
                    held("graph-1", "u"),
                    held("exchange-1", "e", "Exchange"),
                    held("gone-1", "g", "Gone"),
                    held("exchange-1", ZERO, "Exchange"),
                ]
            },
            "/exchange-1": {"appRoles": [role("Exchange.ManageAsApp", "e")]},
        }
    ).assignments(PRINCIPAL, [RESOURCE])

    assert [(one.resource_name, one.role) for one in found] == [
        ("Microsoft Graph", "User.Read.All"),
        ("Exchange", "Exchange.ManageAsApp"),
        ("Gone", "g"),
    ]
    assert found[0] == Assignment("a-graph-1-u", "graph-1", "Microsoft Graph", "u", "User.Read.All")


def test_only_roles_that_an_app_can_have():
    """Roles for people only, disabled roles and scopes are ignored."""
    roles = [
        role("Sites.Selected", "s"),
        role("People.Only", "p", allowedMemberTypes=["User"]),
        role("Switched.Off", "o", isEnabled=False),
    ]
    address = f"(appId='{SHAREPOINT.app_id}')"
    scopes = [role("Sites.FullControl.All", "scope")]

    found = directory(
        {address: {"id": "sp-1", "appRoles": roles, "oauth2PermissionScopes": scopes}}
    )

    assert found.resource(SHAREPOINT).role_ids == {"Sites.Selected": "s"}


def test_a_tenant_without_sharepoint():
    """That is an error, and nothing is planned."""
    with pytest.raises(Unsound, match="no service principal for SharePoint"):
        directory({}).resource(SHAREPOINT)


def test_an_app_is_registered_once():
    """It is not retried: after a gateway timeout it may exist."""
    asked = []

    def web(request: requests.PreparedRequest) -> Answer:
        asked.append(request.method)
        return error(504)

    with pytest.raises(Busy):
        behind(web).register("PhotoSync", {})
    assert asked == ["POST"]


def test_a_key_joins_those_that_are_there_now():
    """Not those of the time when the plan was shown: another admin's new key would be gone."""
    keys: list[dict[str, Any]] = [{"keyId": "made-meanwhile", "key": "x"}]

    def web(request: requests.PreparedRequest) -> Answer:
        if request.method == "PATCH":
            keys[:] = json.loads(request.body or b"")["keyCredentials"]
        return answer({"id": "o-1", "keyCredentials": keys})

    behind(web).add_key(Application("o-1", "c-1", "PhotoSync"), {"key": "new"})

    assert keys == [{"keyId": "made-meanwhile", "key": None}, {"key": "new"}]


@pytest.mark.parametrize("status", [400, 409])
def test_a_principal_whose_answer_was_lost(status: int):
    """If the retry finds that the first request created it, that one is used."""
    posts = in_turn(error(504), error(status, message="The service principal is already in use."))
    there = {"id": "p-1", "appId": "c-1", "displayName": "PhotoSync"}

    def web(request: requests.PreparedRequest) -> Answer:
        if request.method == "POST":
            return posts(request)
        assert "servicePrincipals(appId='c-1')" in (request.url or "").replace("%27", "'")
        return answer({**there, "servicePrincipalType": "Application"})

    expected = Principal("p-1", "c-1", "PhotoSync", "Application")
    assert behind(web).create_principal("c-1") == expected
