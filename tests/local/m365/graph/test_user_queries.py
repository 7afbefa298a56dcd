"""Queries of users: results and refusals as Graph documents them (facts/graph.md section 10)."""

from __future__ import annotations

from typing import Any

import pytest

from local.m365.graph.lists import matching
from local.m365.graph.user_queries import USERS
from local.m365.graph.wire import Refusal
from local.m365.tenant.records import User
from tests.local.m365.simulator import Cloud, HostSession, refusal

EVENTUAL = {"consistencylevel": "eventual"}
ADVANCED = (EVENTUAL, {"$count": "true"})
UNSUPPORTED = "Request_UnsupportedQuery"
Headers = dict[str, str]
ANNE = User(
    id="anne",
    user_principal_name="anne@contoso.com",
    display_name="Anne-Marie O'Neill",
    mail="a.oneill@contoso.com",
    aliases=["am@contoso.com"],
    other_mails=["anne@home.example"],
    attributes={
        "city": "Köln",
        "companyName": "Contoso",
        "createdDateTime": "2026-11-01T08:00:00Z",
        "employeeType": "helloWorld",
    },
)


def finds(filter: str, *, advanced: bool = False) -> bool:
    """Whether *filter* finds Anne."""
    headers, more = ADVANCED if advanced else ({}, {})
    return matching({"$filter": filter, **more}, headers, USERS)(ANNE)


def assert_refused(options: dict[str, str], headers: Headers, code: str, message: str) -> None:
    """The query is a 400 with *code*, and *message* is in its sentence."""
    with pytest.raises(Refusal) as refusal:
        matching(options, headers, USERS)
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert message in refusal.value.message


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("accountEnabled eq true and userType eq 'Member'", True),
        ("accountEnabled eq false or userType eq 'Guest'", False),
        ("userType in ('Guest', 'member')", True),
        ("startsWith(displayName,'anne-marie o''n')", True),
        ("startswith(mail,'b') OR startsWith(userPrincipalName,'ANNE@')", True),
        ("startsWith(displayName,'marie')", False),
        ("createdDateTime ge 2026-11-01 and createdDateTime le 2026-11-01T08:00:00Z", True),
        ("createdDateTime ge 2026-11-02", False),
        ("proxyAddresses/any(p:p eq 'smtp:am@contoso.com')", True),
        ("city eq 'köln' and (mail eq 'x' or mail eq 'a.oneill@contoso.com')", True),
    ],
)
def test_filters_that_always_work(raw: str, found: bool):
    """Without the header: those that the table of aad-advanced-queries calls default."""
    assert finds(raw) is found
    assert finds(raw, advanced=True) is found


@pytest.mark.parametrize(
    ("raw", "found", "missing"),
    [
        ("accountEnabled ne true", False, "Operator 'ne'"),
        ("NOT(userType eq 'Guest')", True, "Operator 'not'"),
        ("not startsWith(displayName,'Anne')", False, "Operator 'not'"),
        ("endsWith(mail,'@CONTOSO.com')", True, "Operator 'endsWith'"),
        ("city eq null", False, "Operator 'eq'"),
        ("city ne null", True, "Operator 'ne'"),
        ("companyName eq 'contoso'", True, "for property 'companyName' of resource 'User'"),
        ("startsWith(mobilePhone,'25')", False, "for property 'mobilePhone' of resource 'User'"),
        ("proxyAddresses/any(p:startsWith(p,'smtp:am@'))", True, "Operator 'startsWith'"),
        ("proxyAddresses/any(p:startsWith(p,'am@'))", False, "Operator 'startsWith'"),
        ("otherMails/any(x:endsWith(x,'.example'))", True, "Operator 'endsWith'"),
    ],
)
def test_filters_of_advanced_queries(raw: str, found: bool, missing: str):
    """They need the header and $count, and are refused if either is missing."""
    assert finds(raw, advanced=True) is found
    for headers, more in ((EVENTUAL, {}), ({}, {"$count": "true"}), ({}, {})):
        assert_refused({"$filter": raw, **more}, headers, UNSUPPORTED, missing)


@pytest.mark.parametrize(
    ("raw", "code", "message"),
    [
        ("startsWith(accountEnabled,'t')", UNSUPPORTED, "for property 'accountEnabled'"),
        ("endsWith(displayName,'l')", UNSUPPORTED, "for property 'displayName'"),
        ("startsWith(proxyAddresses,'a')", UNSUPPORTED, "for property 'proxyAddresses'"),
        ("mail/any(m:m eq 'a')", UNSUPPORTED, "for property 'mail'"),
        ("otherMails/any(m:m ne 'a')", UNSUPPORTED, "for property 'otherMails'"),
        ("preferredDataLocation eq 'EUR'", UNSUPPORTED, "for property 'preferredDataLocation'"),
        ("mail eq null", UNSUPPORTED, "for property 'mail'"),
        ("displayName gt 'a'", UNSUPPORTED, "for property 'displayName'"),
        (
            "mail eq 'a' or otherMails/any(m:m eq 'a')",
            UNSUPPORTED,
            "Complex query on property otherMails is not supported.",
        ),
        ("shoeSize eq '44'", "BadRequest", "Could not find a property named 'shoeSize'"),
        ("accountEnabled eq 'true'", "BadRequest", "Invalid filter clause"),
        ("startsWith(mail,'o'neill')", "BadRequest", "Invalid filter clause"),
        ("contains(mail,'a')", "BadRequest", "Invalid filter clause"),
        ("mail eq 'a' mail eq 'b'", "BadRequest", "Invalid filter clause"),
        ("otherMails/any(m:mail eq 'a')", "BadRequest", "Invalid filter clause"),
        ("createdDateTime ge 2026-13-01", "BadRequest", "Invalid filter clause"),
        ("(" * 40 + "mail eq 'a'" + ")" * 40, "BadRequest", "Invalid filter clause"),
        ("", "BadRequest", "Invalid filter clause"),
    ],
)
def test_filters_that_never_work(raw: str, code: str, message: str):
    """Operators that a property does not support, and invalid filters, even if advanced."""
    assert_refused({"$filter": raw, "$count": "true"}, EVENTUAL, code, message)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ('"displayName:neill anne"', True),
        ('"displayName:mar"', True),
        ('"displayName:MarieAnne"', True),
        ('"displayName:marieanne"', False),
        ('"displayName:annemarie"', True),
        ('"mail:a.one"', True),
        ('"employeeType:hellow"', True),
        ('"displayName:nobody" OR "userPrincipalName:anne@"', True),
        ('"displayName:nobody" AND "userPrincipalName:anne@"', False),
        ('"city:k" AND ("mail:x" OR "mail:a")', True),
        ('"displayName:arie"', False),
        ('"userPrincipalName:contoso"', False),
        ('"displayName:anne OR bert"', False),
        (r'"displayName:\"anne\""', True),
    ],
)
def test_phrases(raw: str, found: bool):
    """A display name matches by words in any order, other properties by prefix."""
    assert matching({"$search": raw}, EVENTUAL, USERS)(ANNE) is found


@pytest.mark.parametrize(
    ("raw", "headers", "code", "message"),
    [
        ('"mail:a"', {}, UNSUPPORTED, "special request header: 'ConsistencyLevel: eventual'"),
        ("mail:a", EVENTUAL, "BadRequest", "Syntax error"),
        ('"anne"', EVENTUAL, "BadRequest", "Syntax error"),
        ('"displayName:!"', EVENTUAL, "BadRequest", "Syntax error"),
        ('"mail:a" or "mail:b"', EVENTUAL, "BadRequest", "Syntax error"),
        ('"mail:a" "mail:b"', EVENTUAL, "BadRequest", "Syntax error"),
        ('"shoeSize:a"', EVENTUAL, "BadRequest", "Could not find a property"),
        ('"accountEnabled:true"', EVENTUAL, UNSUPPORTED, "for property 'accountEnabled'"),
    ],
)
def test_phrases_that_are_refused(raw: str, headers: dict[str, str], code: str, message: str):
    """Without the header, without a property or a word, or joined in lower case."""
    assert_refused({"$search": raw}, headers, code, message)


def names(graph: HostSession, query: str, headers: dict[str, str]) -> list[str]:
    """The users on all pages."""
    url, found = f"/users?{query}", []
    while url:
        body: dict[str, Any] = graph.get(url, headers=headers).json()
        found += [one["displayName"] for one in body["value"]]
        url = body.get("@odata.nextLink", "")
    return found


@pytest.mark.parametrize(
    ("query", "headers", "found"),
    [
        ("$orderby=displayName&$top=2", {}, ["Anne", "Bert", "Cleo"]),
        ("$orderby=displayName desc&$top=2", {}, ["Cleo", "Bert", "Anne"]),
        ("$orderBy=userPrincipalName", {}, ["Bert", "Anne", "Cleo"]),
        ("$orderby=createdDateTime&$count=true&$top=1", EVENTUAL, ["Cleo", "Bert", "Anne"]),
        (
            "$filter=startswith(displayName,'b') or startswith(displayName,'a')"
            "&$orderby=displayName&$count=true",
            EVENTUAL,
            ["Anne", "Bert"],
        ),
        (
            '$search="displayName:cleo" OR "displayName:a"&$orderby=displayName&$count=true',
            EVENTUAL,
            ["Anne", "Cleo"],
        ),
    ],
)
def test_lists(
    m365: Cloud, graph: HostSession, query: str, headers: dict[str, str], found: list[str]
):
    """Sorting by name always works; by time, or with a filter or search, only if advanced."""
    for day, (name, upn) in enumerate((("Cleo", "z"), ("Bert", "a"), ("Anne", "m")), 1):
        user = m365.add_user(upn)
        user.display_name = name
        user.attributes["createdDateTime"] = f"2026-11-0{day}T08:00:00Z"

    assert names(graph, query, headers) == found


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("$orderby=createdDateTime", UNSUPPORTED, "sort property 'createdDateTime' for 'User'."),
        ("$filter=userType eq 'Guest'&$orderby=displayName", UNSUPPORTED, "for current query."),
        ("$orderby=jobTitle&$count=true", UNSUPPORTED, "An unsupported property was specified."),
        ("$orderby=displayName down", "BadRequest", "Invalid orderby clause"),
        ("$skip=1", "Request_BadRequest", "'$skip' is not supported by the service."),
        ("$select=shoeSize", "BadRequest", "a property named 'shoeSize' on type 'microsoft.graph"),
    ],
)
def test_lists_that_are_refused(graph: HostSession, query: str, code: str, message: str):
    """An unknown option or property, or a sort order that the query does not allow."""
    answer = graph.get(f"/users?{query}", headers=EVENTUAL)

    assert refusal(answer) == (400, code)
    assert message in answer.json()["error"]["message"]


def test_next_page_after_a_deleted_user(m365: Cloud, graph: HostSession):
    """The next page of a sorted list starts after a user, who must still exist."""
    anne = m365.add_user("anne")
    m365.add_user("bert")
    link = graph.get("/users?$orderby=displayName&$top=1").json()["@odata.nextLink"]
    m365.tenant.roster.remove(anne)

    assert refusal(graph.get(link))[1] == "Directory_ExpiredPageToken"


def test_counts(m365: Cloud, graph: HostSession):
    """Only with the header: on the first page, or alone as text. Else ignored, or a 400."""
    for name in ("anne", "bert", "cleo"):
        m365.add_user(name)
    first = graph.get("/users?$count=true&$top=2", headers=EVENTUAL).json()
    second = graph.get(first["@odata.nextLink"], headers=EVENTUAL).json()
    alone = graph.get("/users/$count?$filter=endsWith(mail,'t@contoso.com')", headers=EVENTUAL)

    assert (first["@odata.count"], "@odata.count" in second) == (3, False)
    assert (alone.text, alone.headers["content-type"].partition(";")[0]) == ("1", "text/plain")
    assert "@odata.count" not in graph.get("/users?$count=true").json()
    refused = graph.get("/users/$count").json()["error"]
    message = "$count is not currently supported."
    assert (refused["code"], refused["message"]) == ("Request_BadRequest", message)


def test_addresses_and_personal_site(m365: Cloud, graph: HostSession):
    """A list shows all addresses; `mySite` is 501 in a list, and shown for a single user."""
    anne = m365.add_user("anne")
    anne.aliases, anne.other_mails = ["am@contoso.com"], ["anne@home.example"]

    (listed,) = graph.get("/users?select=proxyAddresses,otherMails").json()["value"]
    one = graph.get(f"/users/{anne.id}?$select=mySite").json()

    assert listed["proxyAddresses"] == ["SMTP:anne@contoso.com", "smtp:am@contoso.com"]
    assert listed["otherMails"] == ["anne@home.example"]
    assert len(listed) == 2
    assert refusal(graph.get("/users?$select=mySite")) == (501, "NotImplemented")
    assert one["mySite"] == f"{m365.tenant.urls.my}/personal/anne_contoso_com/"


def test_managers(m365: Cloud, graph: HostSession):
    """One level or several, with $select; omitted without a manager; not in advanced queries."""
    anne, bert, cleo = (m365.add_user(name) for name in ("anne", "bert", "cleo"))
    bert.manager = cleo.id
    m365.sim("PATCH", f"/users/{anne.id}", {"manager": bert.id})

    def shown(query: str) -> Any:
        return graph.get(f"/users/{anne.id}?$select=id&$expand={query}").json()

    direct = graph.get(f"/users/{anne.id}/manager").json()
    chain = shown("manager($levels=max;$select=displayName)")["manager"]
    listed = graph.get(f"/users?$expand=manager($select=id)&$filter=mail eq '{bert.mail}'").json()
    none = graph.get(f"/users/{cleo.id}/manager").json()
    advanced = graph.get("/users?$expand=manager&$count=true", headers=EVENTUAL).json()

    assert (direct["id"], direct["@odata.type"]) == (bert.id, "#microsoft.graph.user")
    assert (chain["displayName"], chain["manager"]["displayName"]) == ("Bert", "Cleo")
    assert "manager" not in chain["manager"]
    assert "manager" not in shown("manager")["manager"]
    assert listed["value"][0]["manager"]["id"] == cleo.id
    assert none["error"]["code"] == "Request_ResourceNotFound"
    for query in ("directReports", "manager($levels=0)", "manager($top=1)", "manager($select=x)"):
        assert shown(query)["error"]["code"] == "BadRequest"
    assert advanced["error"]["code"] == UNSUPPORTED
