"""Finding users by names and addresses: what Graph is asked, and what its answers mean."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from shared.errors import AccessDenied, BadRequest, Refused, ServiceDown, Throttled
from shared.graph.user_search import MOST, UserSearch
from shared.microsoft365.http import Http
from tests.doubles.web import Answer, Tokens, Web, answer, http
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
    """A user as Graph tells of one."""
    return {
        "id": f"6ea91a8d-e32e-41a1-b7bd-{number:012}",
        "userPrincipalName": f"anne{number}@contoso.com",
        "displayName": f"Anne {number:03}",
        "accountEnabled": True,
        "userType": "Member",
        **changes,
    }


class Graph:
    """Answers each request of a batch by what its query speaks of; notes the queries."""

    def __init__(self, **told: Any) -> None:
        self._told = told
        self.asked: list[dict[str, Any]] = []

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.asked += json.loads(request.body or b"")["requests"]
        responses = [{"id": each["id"], **self._answer(each["url"])} for each in self.asked]
        return answer({"responses": responses})

    def _answer(self, url: str) -> dict[str, Any]:
        query = unquote(url.partition("?")[2].partition("&")[0])
        found: Any = next((told for name, told in self._told.items() if name in query), [])
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
    """The strict simulator, which refuses what is not documented; nobody is in it."""
    running.renew()
    return running


@pytest.fixture
def people(m365: Cloud) -> UserSearch:
    graph = m365.tenant.urls.graph

    class Known(Tokens):
        def bearer(self, audience: str, *, refused: str = "") -> str:
            return m365.token(graph)

    return UserSearch(Http("graph", graph, Known()))


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
    """A name's words in any order, and the beginning of whatever address, find the user."""
    m365.add_user("bert")
    anne = m365.add_user("anne")
    anne.display_name, anne.mail = "Anne-Marie O'Neill", "a.oneill@contoso.com"
    anne.aliases, anne.other_mails = ["am@contoso.com"], ["anne.oneill@home.example"]

    assert [user.id for user in people.search(text)] == [anne.id]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_finds_nobody(m365: Cloud, people: UserSearch, text: str):
    """Text stays text, in a filter and in a phrase: it widens nothing, and ends nothing."""
    m365.add_user("anne")

    assert people.search(text) == []
    assert people.search(f"{text}@contoso.com") == []


@pytest.mark.parametrize("text", ["", "  ", '"', "()", "a" * 201, "an\x00ne", "an\u202ene"])
def test_text_that_names_nobody(text: str):
    """Without a word in it Graph would be asked for everybody, so it is not asked at all."""
    graph = Graph()
    with pytest.raises(BadRequest, match="Type up to 200 characters"):
        search(graph).search(text)
    assert graph.asked == []


def test_address_is_whole(m365: Cloud, people: UserSearch):
    """Who is looked for by address has just this one, in whatever property; more may have it."""
    longer = m365.add_user("anne")
    longer.aliases = ["am@contoso.com.example"]
    one, other = m365.add_user("one"), m365.add_user("other")
    one.aliases, other.other_mails = ["AM@contoso.com"], ["am@contoso.com"]

    assert [user.id for user in people.addressed("am@contoso.com")] == [one.id, other.id]


def test_each_query_is_a_documented_one():
    """One call, no joined filters, each with the header and the count of an advanced query."""
    graph = Graph()
    search(graph).search("o'neill@contoso.com")
    filters = [unquote(each["url"].partition("&")[0]) for each in graph.asked]

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
    assert all(each["headers"] == {"ConsistencyLevel": "eventual"} for each in graph.asked)
    assert all("&$count=true&$top=25&" in each["url"] for each in graph.asked)


def test_most_are_told_by_name():
    """Whoever several queries find is told once; at most so many are told, in order."""
    everybody = [shown(n, mail=f"anne@{n}.example") for n in reversed(range(MOST + 5))]
    graph = Graph(userPrincipalName=everybody[:MOST], mail=everybody[5:])
    found = search(graph).search("anne@")

    assert [user.display_name for user in found] == [f"Anne {n:03}" for n in range(MOST)]


def test_query_that_graph_leaves_out():
    """Graph may not act on a query without a word (documented): who does not fit is nobody."""
    strangers = [shown(displayName="Bert", userPrincipalName="bert@contoso.com"), {}, None, "Anne"]

    assert search(Graph(displayName=strangers)).search("anne") == []


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "Request_UnsupportedQuery", Refused),
        (403, "Authorization_RequestDenied", AccessDenied),
        (429, "TooManyRequests", Throttled),
        (500, "UnknownError", ServiceDown),
    ],
)
def test_refusal_is_no_silence(status: int, code: str, error: type[Exception]):
    """That Graph refuses is told with its reason, and is not the same as nobody found."""
    with pytest.raises(error, match=f"{status}: {code} In words"):
        search(Graph(displayName=(status, code))).search("anne")


def test_one_refused_query_of_several():
    """Who was found is told although Graph will not search one property; nobody else's is."""
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
    """However an accent is spelled, or left out as Graph may do, the name is the same."""
    graph = Graph(displayName=[shown(displayName="Ren\u00e9 K\u00f6hler")])

    assert [user.display_name for user in search(graph).search(typed)] == ["Ren\u00e9 K\u00f6hler"]
    assert "\u0301" not in unquote(graph.asked[0]["url"])


def test_accents_of_addresses():
    """An address is another one with an accent."""
    graph = Graph(userPrincipalName=[shown(userPrincipalName="ren\u00e9@contoso.com")])

    assert search(graph).addressed("rene@contoso.com") == []
