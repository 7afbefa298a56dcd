"""Groups as Graph shows them: members, nested groups, and what is hidden."""

from __future__ import annotations

import pytest

from local.m365.tenant.records import Group
from tests.local.m365.simulator import EVENTUAL, PHOTOSYNC_APP, Cloud, HostSession


def cast(group: str) -> str:
    return f"/groups/{group}/transitiveMembers/microsoft.graph.user"


def members(graph: HostSession, group: str) -> list[str]:
    """The ids of the listed members, of which there are as many as counted."""
    body = graph.get(f"{cast(group)}?$select=id&$count=true", headers=EVENTUAL).json()
    assert body["@odata.count"] == len(body["value"])
    return [each["id"] for each in body["value"]]


def held(graph: HostSession, user: str, *groups: str) -> list[str]:
    answer = graph.post(f"/users/{user}/checkMemberGroups", json={"groupIds": groups})
    value: list[str] = answer.json()["value"]
    return value


def test_nested_groups(m365: Cloud, graph: HostSession):
    """Both operations include nested groups, and handle a cycle."""
    tenant, anna, otto = m365.tenant, m365.add_user("anna").id, m365.add_user("otto").id
    outer, inner = tenant.new_id(), tenant.new_id()
    tenant.groups |= {outer: Group({inner}), inner: Group({anna, outer})}

    assert members(graph, outer) == [anna]
    assert held(graph, anna, inner, outer) == [inner, outer]
    assert held(graph, otto, inner, outer) == []


def test_hidden_or_missing_group(m365: Cloud, graph: HostSession):
    """Hidden members and missing groups are omitted, without an error."""
    tenant, anna = m365.tenant, m365.add_user("anna").id
    hidden, missing = tenant.new_id(), tenant.new_id()
    tenant.groups[hidden] = Group({anna}, "Secret", "HiddenMembership")

    assert held(graph, anna, hidden, missing) == []
    assert members(graph, hidden) == []


def test_one_group(m365: Cloud, graph: HostSession):
    """The selected properties, also of a group with hidden members; a missing one is a 404."""
    group = m365.tenant.new_id()
    m365.tenant.groups[group] = Group(set(), "Secret", "HiddenMembership")
    shown = graph.get(f"/groups/{group}?$select=id,visibility").json()
    missing = graph.get(f"/groups/{m365.tenant.new_id()}").json()

    assert (shown["id"], shown["visibility"]) == (group, "HiddenMembership")
    assert "displayName" not in shown
    assert missing["error"]["code"] == "Request_ResourceNotFound"
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as poor:
        assert poor.get(f"/groups/{group}").status_code == 403


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
    graph: HostSession,
    options: str,
    headers: dict[str, str],
    codes: tuple[str, str],
):
    """As documented it needs the header and $count; by a switch it works without, as reported."""
    group = m365.tenant.new_id()
    m365.tenant.groups[group] = Group({m365.add_user("anna").id})
    found = []
    for switch in ("documented", "reported"):
        m365.tenant.switches.member_cast = switch
        body = graph.get(cast(group) + options, headers=headers).json()
        found.append(body["error"]["code"] if "error" in body else "")

    assert tuple(found) == codes


def test_groups_are_listed(m365: Cloud, graph: HostSession):
    """Filtered, searched, sorted and counted like users; all of them without a filter."""
    for name in ("Pilots", "Night Shift", "Partners"):
        group = Group(set(), name, security_enabled=name != "Partners")
        m365.tenant.groups[m365.tenant.new_id()] = group

    def named(query: str) -> list[str]:
        body = graph.get(f"/groups?{query}", headers=EVENTUAL).json()
        return [each["displayName"] for each in body["value"]]

    assert named("$orderby=displayName") == ["Night Shift", "Partners", "Pilots"]
    assert named("$filter=displayName eq 'pilots'") == ["Pilots"]
    assert named("$filter=startswith(displayName,'p') and securityEnabled eq false") == ["Partners"]
    assert named('$search="displayName:shift"') == ["Night Shift"]
    counted = graph.get("/groups/$count?$filter=startswith(displayName,'p')", headers=EVENTUAL)
    assert counted.text == "2"
    refused = graph.get("/groups?$filter=visibility eq 'Public'", headers=EVENTUAL).json()
    assert "'visibility' of resource 'Group'" in refused["error"]["message"]
