"""Finding users by names and addresses: which queries are sent, and what the answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.errors import AccessDenied, BadRequest, Refused, Throttled
from shared.graph.user_search import MOST, UserSearch
from shared.microsoft365.http import Http
from tests.doubles.web import Answer, Web, answer, http
from tests.local.m365.simulator import Cloud, cloud

HOSTILE = [
    "x') or startsWith(mail,'a",
    "x'",
    'x" OR "mail:a',
    "x\\",
    "x OR anne",
    "x&$filter=startsWith(mail,'a')",
    "x%27",
    "x#",
    "displayName:anne",
]


def search(web: Web) -> UserSearch:
    return UserSearch(http(web, audience="https://graph.contoso.com"))


def shown(number: int = 0, **changes: Any) -> dict[str, Any]:
    """A user as Graph returns it."""
    return {
        "id": f"6ea91a8d-e32e-41a1-b7bd-{number:012}",
        "userPrincipalName": f"anne{number}@contoso.com",
        "displayName": f"Anne {number:03}",
        "accountEnabled": True,
        "userType": "Member",
        **changes,
    }


class Graph:
    """Answers each request of a batch by the property in its query; records the requests."""

    def __init__(self, **found_by: Any) -> None:
        self._found_by = found_by
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.requests += json.loads(request.body or b"")["requests"]
        responses = [{"id": each["id"], **self._answer(each["url"])} for each in self.requests]
        return answer({"responses": responses})

    def _answer(self, url: str) -> dict[str, Any]:
        query = unquote(url.partition("?")[2].partition("&")[0])
        found: Any = next((each for name, each in self._found_by.items() if name in query), [])
        if isinstance(found, list):
            return {"status": 200, "body": {"value": found}}
        status, code = found
        return {"status": status, "body": {"error": {"code": code, "message": "In words."}}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("m365")) as simulated:
        yield simulated


@pytest.fixture
def m365(running: Cloud) -> Cloud:
    """The strict simulator, which refuses what is not documented, without users."""
    running.renew()
    return running


@pytest.fixture
def people(m365: Cloud) -> UserSearch:
    return UserSearch(Http("graph", m365.tenant.urls.graph, m365))


@pytest.mark.parametrize(
    "text",
    [
        "anne@con",
        "A.ONEILL@contoso.com",
        "am@contoso.com",
        "anne.oneill@home.example",
        "anne",
        "o'neill anne",
        "  Anne-Marie   O'N ",
        "a.one",
    ],
)
def test_found(m365: Cloud, people: UserSearch, text: str):
    """The words of a name in any order, and the beginning of any address, find the user."""
    m365.add_user("bert")
    anne = m365.add_user("anne")
    anne.display_name, anne.mail = "Anne-Marie O'Neill", "a.oneill@contoso.com"
    anne.aliases, anne.other_mails = ["am@contoso.com"], ["anne.oneill@home.example"]

    assert [user.id for user in people.search(text)] == [anne.id]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text(m365: Cloud, people: UserSearch, text: str):
    """Text stays text, in a filter and in a phrase: it neither widens nor ends a query."""
    m365.add_user("anne")

    assert people.search(text) == []
    assert people.search(f"{text}@contoso.com") == []


@pytest.mark.parametrize("text", ["", "  ", '"', "()", "a" * 201, "an\x00ne", "an\u202ene"])
def test_text_without_a_word(text: str):
    """Without a word, a query would find everybody, so none is sent."""
    graph = Graph()
    with pytest.raises(BadRequest, match="Type up to 200 characters"):
        search(graph).search(text)
    assert graph.requests == []


def test_whole_address(m365: Cloud, people: UserSearch):
    """A search by address finds exact matches in any property; several users may match."""
    longer = m365.add_user("anne")
    longer.aliases = ["am@contoso.com.example"]
    one, other = m365.add_user("one"), m365.add_user("other")
    one.aliases, other.other_mails = ["AM@contoso.com"], ["am@contoso.com"]

    assert [user.id for user in people.addressed("am@contoso.com")] == [one.id, other.id]


def test_queries_are_documented():
    """One call, no joined filters, each with the header and the count of an advanced query."""
    graph = Graph()
    search(graph).search("o'neill@contoso.com")
    filters = [unquote(each["url"].partition("&")[0]) for each in graph.requests]

    assert filters == [
        f"/users?$filter={clause}"
        for clause in (
            "startsWith(userPrincipalName,'o''neill@contoso.com')",
            "startsWith(mail,'o''neill@contoso.com')",
            "proxyAddresses/any(a:startsWith(a,'smtp:o''neill@contoso.com'))",
            "proxyAddresses/any(a:startsWith(a,'SMTP:o''neill@contoso.com'))",
            "otherMails/any(a:startsWith(a,'o''neill@contoso.com'))",
        )
    ]
    assert all(each["headers"] == {"ConsistencyLevel": "eventual"} for each in graph.requests)
    assert all("&$count=true&$top=25&" in each["url"] for each in graph.requests)


def test_most_results():
    """A user found by several queries is returned once; at most MOST users, sorted by name."""
    everybody = [shown(n, mail=f"anne@{n}.example") for n in reversed(range(MOST + 5))]
    graph = Graph(userPrincipalName=everybody[:MOST], mail=everybody[5:])
    found = search(graph).search("anne@")

    assert [user.display_name for user in found] == [f"Anne {n:03}" for n in range(MOST)]


def test_ignored_query():
    """Graph may silently ignore a query (documented): users who do not match are left out."""
    strangers = [shown(displayName="Bert", userPrincipalName="bert@contoso.com"), {}, None, "Anne"]

    assert search(Graph(displayName=strangers)).search("anne") == []


def test_refusal():
    """A refusal raises its reason, and does not mean that no user was found."""
    with pytest.raises(AccessDenied, match="403: Authorization_RequestDenied In words"):
        search(Graph(displayName=(403, "Authorization_RequestDenied"))).search("anne")


def test_one_refused_query_of_several():
    """If one query is refused, users found by the others are returned; if none, it is raised."""
    anne = shown(otherMails=["me@home.example"])
    refused = (400, "Request_UnsupportedQuery")
    found = search(Graph(otherMails=[anne], proxyAddresses=refused)).addressed("me@home.example")
    assert [user.id for user in found] == [anne["id"]]

    with pytest.raises(Refused):
        search(Graph(proxyAddresses=refused)).addressed("me@home.example")
    with pytest.raises(Throttled):
        search(Graph(otherMails=[anne], mail=(429, ""))).addressed("me@home.example")


@pytest.mark.parametrize("typed", ["Rene\u0301", "Ren\u00e9", "rene", "RENE k"])
def test_accents(typed: str):
    """However an accent is written, or left out as Graph may do, the name is the same."""
    graph = Graph(displayName=[shown(displayName="Ren\u00e9 K\u00f6hler")])

    assert [user.display_name for user in search(graph).search(typed)] == ["Ren\u00e9 K\u00f6hler"]
    assert "\u0301" not in unquote(graph.requests[0]["url"])


def test_accents_of_addresses():
    """An address with an accent is another address."""
    graph = Graph(userPrincipalName=[shown(userPrincipalName="ren\u00e9@contoso.com")])

    assert search(graph).addressed("rene@contoso.com") == []
