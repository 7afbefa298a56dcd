"""Which users a query finds as Graph documents it, and what is refused (facts/graph.md, 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.m365.graph.lists import matching
from local.m365.graph.user_queries import USERS
from local.m365.graph.wire import Refusal
from local.m365.tenant.records import User
from tests.local.m365.simulator import Cloud

EVENTUAL = {"consistencylevel": "eventual"}
ADVANCED = (EVENTUAL, {"$count": "true"})
UNSUPPORTED = "Request_UnsupportedQuery"
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


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def finds(filter: str, *, advanced: bool = False) -> bool:
    """Whether Anne is found by that filter."""
    headers, more = ADVANCED if advanced else ({}, {})
    return matching({"$filter": filter, **more}, headers, USERS)(ANNE)


def error(options: dict[str, str], headers: dict[str, str]) -> tuple[int, str, str]:
    """How a query is refused."""
    with pytest.raises(Refusal) as refusal:
        matching(options, headers, USERS)
    return refusal.value.status, refusal.value.code, refusal.value.message


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
    """Without the header: what the table of aad-advanced-queries calls a default."""
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
    """With header and count they are acted on; without either they are refused."""
    assert finds(raw, advanced=True) is found
    for headers, more in ((EVENTUAL, {}), ({}, {"$count": "true"}), ({}, {})):
        status, code, message = error({"$filter": raw, **more}, headers)
        assert (status, code) == (400, UNSUPPORTED)
        assert missing in message


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
    """What a property does not support is refused in advanced queries, too, and so is no filter."""
    headers, count = ADVANCED
    assert error({"$filter": raw, **count}, headers)[:2] == (400, code)
    assert message in error({"$filter": raw, **count}, headers)[2]


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
    """Of a display name the words count, in any order; of other properties the beginning."""
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
    """Without the header, without a property or a word, and joined in small letters."""
    assert error({"$search": raw}, headers)[:2] == (400, code)
    assert message in error({"$search": raw}, headers)[2]


def names(m365: Cloud, graph: requests.Session, query: str, headers: dict[str, str]) -> list[str]:
    """Who is on all pages together, or the code of the refusal."""
    url, found = f"{m365.tenant.urls.graph}/v1.0/users?{query}", []
    while url:
        body: dict[str, Any] = graph.get(url, headers=headers).json()
        if "error" in body:
            return [body["error"]["code"], body["error"]["message"]]
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
        (
            "$orderby=createdDateTime",
            {},
            [UNSUPPORTED, "Unsupported sort property 'createdDateTime' for 'User'."],
        ),
        (
            "$filter=userType eq 'Member'&$orderby=displayName",
            EVENTUAL,
            [UNSUPPORTED, "Sorting not supported for current query."],
        ),
        (
            "$orderby=jobTitle&$count=true",
            EVENTUAL,
            [UNSUPPORTED, "An unsupported property was specified."],
        ),
        ("$orderby=displayName down", {}, ["BadRequest", "Invalid orderby clause"]),
        (
            "$skip=1",
            {},
            ["Request_BadRequest", "'$skip' is not supported by the service."],
        ),
    ],
)
def test_order(
    m365: Cloud, graph: requests.Session, query: str, headers: dict[str, str], found: list[str]
):
    """By name always; by time, or beside a filter or a search, in an advanced query only."""
    for day, (name, upn) in enumerate((("Cleo", "z"), ("Bert", "a"), ("Anne", "m")), 1):
        user = m365.add_user(upn)
        user.display_name = name
        user.attributes["createdDateTime"] = f"2026-11-0{day}T08:00:00Z"

    assert names(m365, graph, query, headers) == found


def test_place_in_an_order_that_is_gone(m365: Cloud, graph: requests.Session):
    """The next page of a sorted list begins behind somebody, who must still be there."""
    anne = m365.add_user("anne")
    m365.add_user("bert")
    url = f"{m365.tenant.urls.graph}/v1.0/users?$orderby=displayName&$top=1"
    link = graph.get(url).json()["@odata.nextLink"]
    m365.tenant.roster.remove(anne)

    assert graph.get(link).json()["error"]["code"] == "Directory_ExpiredPageToken"


def test_counts(m365: Cloud, graph: requests.Session):
    """With the header only: beside the first page, or alone as text; else passed over, or 400."""
    for name in ("anne", "bert", "cleo"):
        m365.add_user(name)
    users = f"{m365.tenant.urls.graph}/v1.0/users"
    first = graph.get(f"{users}?$count=true&$top=2", headers=EVENTUAL).json()
    second = graph.get(first["@odata.nextLink"], headers=EVENTUAL).json()
    alone = graph.get(f"{users}/$count?$filter=endsWith(mail,'t@contoso.com')", headers=EVENTUAL)

    assert (first["@odata.count"], "@odata.count" in second) == (3, False)
    assert (alone.text, alone.headers["content-type"].partition(";")[0]) == ("1", "text/plain")
    assert "@odata.count" not in graph.get(f"{users}?$count=true").json()
    refused = graph.get(f"{users}/$count").json()["error"]
    assert (refused["code"], refused["message"]) == (
        "Request_BadRequest",
        "$count is not currently supported.",
    )


def test_addresses_and_what_one_user_alone_shows(m365: Cloud, graph: requests.Session):
    """A list shows all addresses; the personal site is 501 there, and known of one user."""
    anne = m365.add_user("anne")
    anne.aliases, anne.other_mails = ["am@contoso.com"], ["anne@home.example"]
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    listed = graph.get(f"{users}?select=proxyAddresses,otherMails").json()["value"]
    refused = graph.get(f"{users}?$select=mySite")
    one = graph.get(f"{users}/{anne.id}?$select=mySite").json()

    assert listed == [
        {
            "proxyAddresses": ["SMTP:anne@contoso.com", "smtp:am@contoso.com"],
            "otherMails": ["anne@home.example"],
        }
    ]
    assert (refused.status_code, refused.json()["error"]["code"]) == (501, "NotImplemented")
    assert one["mySite"] == f"{m365.tenant.urls.my}/personal/anne_contoso_com/"


def test_managers(m365: Cloud, graph: requests.Session):
    """One level or many, what is selected of each; nothing where there is none; not advanced."""
    anne, bert, cleo = (m365.add_user(name) for name in ("anne", "bert", "cleo"))
    bert.manager = cleo.id
    seed = f"{m365.tenant.urls.control}/_sim/users/{anne.id}"
    requests.patch(seed, json={"manager": bert.id}, timeout=10).raise_for_status()
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    def shown(query: str) -> Any:
        return graph.get(f"{users}/{anne.id}?$select=id&$expand={query}").json()

    direct = graph.get(f"{users}/{anne.id}/manager").json()
    chain = shown("manager($levels=max;$select=displayName)")["manager"]
    listed = graph.get(f"{users}?$expand=manager($select=id)&$filter=mail eq '{bert.mail}'").json()

    assert (direct["id"], direct["@odata.type"]) == (bert.id, "#microsoft.graph.user")
    assert (chain["displayName"], chain["manager"]["displayName"]) == ("Bert", "Cleo")
    assert "manager" not in chain["manager"]
    assert "manager" not in shown("manager")["manager"]
    assert listed["value"][0]["manager"]["id"] == cleo.id
    assert graph.get(f"{users}/{cleo.id}/manager").json()["error"]["code"] == (
        "Request_ResourceNotFound"
    )
    for query in ("directReports", "manager($levels=0)", "manager($top=1)", "manager($select=x)"):
        assert shown(query)["error"]["code"] == "BadRequest"
    advanced = graph.get(f"{users}?$expand=manager&$count=true", headers=EVENTUAL)
    assert advanced.json()["error"]["code"] == UNSUPPORTED
