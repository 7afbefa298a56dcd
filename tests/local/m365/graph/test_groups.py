"""Groups as Graph shows them: who is in one, nested groups too, and what it does not tell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from local.m365.tenant.records import Group
from tests.local.m365.simulator import PHOTOSYNC_APP, Cloud

EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def test_group_membership_is_checked_and_listed(m365: Cloud, graph: requests.Session):
    """checkMemberGroups answers the groups that hold the user; members are listed in pages."""
    inside, outside = m365.add_user("anna"), m365.add_user("otto")
    group = m365.tenant.new_id()
    m365.tenant.groups[group] = Group({inside.id})
    base = f"{m365.tenant.urls.graph}/v1.0"
    question = {"groupIds": [group]}

    held = graph.post(f"{base}/users/{inside.id}/checkMemberGroups", json=question)
    not_held = graph.post(f"{base}/users/{outside.id}/checkMemberGroups", json=question)
    cast = f"{base}/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true"
    members = graph.get(cast, headers=EVENTUAL).json()

    assert (held.json()["value"], not_held.json()["value"]) == ([group], [])
    assert (members["value"], members["@odata.count"]) == ([{"id": inside.id}], 1)


def members(m365: Cloud, graph: requests.Session, group: str) -> list[str]:
    cast = f"/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user?$select=id&$count=true"
    told = graph.get(m365.tenant.urls.graph + cast, headers=EVENTUAL).json()
    return [each["id"] for each in told["value"]]


def held(m365: Cloud, graph: requests.Session, user: str, *groups: str) -> list[str]:
    url = f"{m365.tenant.urls.graph}/v1.0/users/{user}/checkMemberGroups"
    answer: list[str] = graph.post(url, json={"groupIds": groups}).json()["value"]
    return answer


def test_nested_groups(m365: Cloud, graph: requests.Session):
    """Both ways of asking go down into groups of groups, and through a circle once."""
    tenant, anna = m365.tenant, m365.add_user("anna").id
    outer, inner = tenant.new_id(), tenant.new_id()
    tenant.groups |= {outer: Group({inner}), inner: Group({anna, outer})}

    assert members(m365, graph, outer) == [anna]
    assert held(m365, graph, anna, inner, outer) == [inner, outer]


def test_group_that_tells_nothing(m365: Cloud, graph: requests.Session):
    """Of hidden members, and of a group that is not there, nothing is said, and no error."""
    tenant, anna = m365.tenant, m365.add_user("anna").id
    hidden, gone = tenant.new_id(), tenant.new_id()
    tenant.groups[hidden] = Group({anna}, "Secret", "HiddenMembership")

    assert held(m365, graph, anna, hidden, gone) == []
    assert members(m365, graph, hidden) == []


def test_group_itself(m365: Cloud, graph: requests.Session):
    """A group tells its name and that its members are hidden; one that is not there is a 404."""
    tenant = m365.tenant
    group, gone = tenant.new_id(), tenant.new_id()
    tenant.groups[group] = Group(set(), "Secret", "HiddenMembership")
    base = f"{tenant.urls.graph}/v1.0/groups"
    told = graph.get(f"{base}/{group}?$select=id,visibility").json()

    assert (told["id"], told["visibility"]) == (group, "HiddenMembership")
    assert "displayName" not in told
    assert graph.get(f"{base}/{gone}").json()["error"]["code"] == "Request_ResourceNotFound"
    with m365.session(tenant.urls.graph, PHOTOSYNC_APP) as poor:
        assert poor.get(f"{base}/{group}").status_code == 403


@pytest.mark.parametrize(
    ("options", "headers", "codes"),
    [
        ("", {}, ("Request_UnsupportedQuery", "")),
        ("", EVENTUAL, ("Request_UnsupportedQuery", "")),
        ("?$count=true", {}, ("Request_UnsupportedQuery", "Request_BadRequest")),
        ("?$count=true", EVENTUAL, ("", "")),
    ],
)
def test_cast_to_users(
    m365: Cloud,
    graph: requests.Session,
    options: str,
    headers: dict[str, str],
    codes: tuple[str, str],
):
    """As documented it takes the header and $count; by a switch it works without, as reported."""
    group = m365.tenant.new_id()
    m365.tenant.groups[group] = Group({m365.add_user("anna").id})
    cast = f"{m365.tenant.urls.graph}/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user"
    found = []
    for switch in ("documented", "reported"):
        m365.tenant.switches.member_cast = switch
        told = graph.get(cast + options, headers=headers).json()
        found.append(told["error"]["code"] if "error" in told else "")

    assert tuple(found) == codes


def test_groups_are_listed(m365: Cloud, graph: requests.Session):
    """All of them without a filter; by name, by words, sorted and counted like users."""
    tenant = m365.tenant
    for name in ("Pilots", "Night Shift", "Partners"):
        tenant.groups[tenant.new_id()] = Group(set(), name, security_enabled=name != "Partners")
    groups = f"{tenant.urls.graph}/v1.0/groups"

    def named(query: str) -> list[str]:
        told = graph.get(f"{groups}?{query}", headers=EVENTUAL).json()
        return [each["displayName"] for each in told["value"]]

    assert named("$orderby=displayName") == ["Night Shift", "Partners", "Pilots"]
    assert named("$filter=displayName eq 'pilots'") == ["Pilots"]
    assert named("$filter=startswith(displayName,'p') and securityEnabled eq false") == ["Partners"]
    assert named('$search="displayName:shift"') == ["Night Shift"]
    counted = graph.get(f"{groups}/$count?$filter=startswith(displayName,'p')", headers=EVENTUAL)
    assert counted.text == "2"
    refused = graph.get(f"{groups}?$filter=visibility eq 'Public'", headers=EVENTUAL).json()
    assert "'visibility' of resource 'Group'" in refused["error"]["message"]
