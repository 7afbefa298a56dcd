"""Faults and latency: repeated by a seed, and what each kind does to a connection."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
import requests
from starlette.responses import PlainTextResponse
from starlette.types import Message

from local.m365.faults import FaultMiddleware
from local.m365.tenant.fault_plan import CONNECTION_KINDS, FaultPlan, Latency, Odds, apply_order
from local.m365.tenant.tenant import Tenant
from tests.local.m365.simulator import TENANT_ID, Cloud

KINDS = ("429", "503", "reset")


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def ambush(m365: Cloud, kind: str, path: str = "/users", **more: object) -> None:
    apply_order(m365.tenant.faults, {"service": "graph", "path": path, "fault": kind, **more})


def test_a_seed_repeats_the_faults_in_any_order():
    """A request's lot depends on what it is and how often it came, not on its neighbours."""
    requests_made = [("GET", f"/users/{number % 10}") for number in range(200)]

    def lots(order: list[tuple[str, str]], seed: int) -> dict[tuple[str, str], list[str]]:
        plan, found = FaultPlan(), dict[tuple[str, str], list[str]]()
        plan.set_odds("graph", Odds(0.3, KINDS, seed))
        for method, path in order:
            fault = plan.draw("graph", method, path).fault
            found.setdefault((method, path), []).append(fault.kind if fault else "")
        return found

    shuffled = random.Random(1).sample(requests_made, len(requests_made))
    assert lots(requests_made, 7) == lots(shuffled, 7)
    assert lots(requests_made, 7) != lots(requests_made, 8)


def test_the_rate_is_about_the_share_of_requests():
    """Rate 0 never, rate 1 always, a half about half."""
    counts = []
    for rate in (0.0, 0.5, 1.0):
        plan = FaultPlan()
        plan.set_odds("graph", Odds(rate, KINDS))
        counts.append(sum(plan.draw("graph", "GET", f"/{n}").fault is not None for n in range(400)))
    assert counts[0] == 0
    assert 150 < counts[1] < 250
    assert counts[2] == 400


def test_jitter_comes_from_the_seed():
    """Latency is the base plus a part of the jitter, the same each time."""
    delays = []
    for _ in range(2):
        plan = FaultPlan()
        plan.latency["graph"] = Latency(100, 50)
        delays.append([plan.draw("graph", "GET", "/users").delay for _ in range(20)])
    assert delays[0] == delays[1]
    assert all(0.1 <= delay <= 0.15 for delay in delays[0])
    assert len(set(delays[0])) > 10


@pytest.mark.parametrize(
    "order",
    [
        {"service": "teams", "rate": 1},
        {"service": "graph", "rate": 2},
        {"service": "graph", "rate": 0.5, "kinds": ["flood"]},
        {"service": "graph", "rate": 0.5, "kinds": []},
        {"service": "graph", "rate": 0.5, "kinds": "429"},
        {"service": "graph", "fault": "200"},
        {"service": "login", "fault": "400", "code": "x"},
    ],
)
def test_orders_that_mean_nothing_are_refused(order: dict[str, object]):
    """Services, rates and kinds are checked."""
    with pytest.raises(ValueError, match="."):
        apply_order(FaultPlan(), order)


def test_the_next_matching_requests_fail(m365: Cloud, graph: requests.Session):
    """`next` counts down; other methods and paths pass."""
    user = m365.add_user("anna")
    ambush(m365, "503", f"/users/{user.id}$", next=2, method="GET", retryAfter=3)
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    passing = graph.patch(f"{users}/{user.id}", json={"city": "Bonn"}).status_code
    answers = [graph.get(f"{users}/{user.id}") for _ in range(3)]

    assert passing == 204
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "3"


def test_throttling_may_come_without_retry_after(m365: Cloud, graph: requests.Session):
    """`429-bare` says nothing of when to come again."""
    ambush(m365, "429-bare")
    answer = graph.get(f"{m365.tenant.urls.graph}/v1.0/users")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)


@pytest.mark.parametrize(("service", "host"), [("graph", "graph"), ("sharepoint", "my")])
def test_a_page_instead_of_the_service(m365: Cloud, service: str, host: str):
    """`404-html` is what a proxy in between would answer: HTML, none of the service's headers."""
    apply_order(m365.tenant.faults, {"service": service, "fault": "404-html"})
    url = getattr(m365.tenant.urls, host)
    with m365.session(url) as session:
        answer = session.get(f"{url}/v1.0/users")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "request-id" not in answer.headers
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("service", "host", "key"), [("graph", "graph", "error"), ("sharepoint", "my", "odata.error")]
)
def test_a_refusal_in_given_words(m365: Cloud, service: str, host: str, key: str):
    """`code` and `message` are what the error says, in the service's own form."""
    said = {"code": "-1, System.SomethingNew", "message": "Nobody foresaw this."}
    apply_order(m365.tenant.faults, {"service": service, "fault": "404", **said})
    url = getattr(m365.tenant.urls, host)
    with m365.session(url) as session:
        error = session.get(f"{url}/v1.0/users").json()[key]

    assert error["code"] == said["code"]
    assert said["message"] in str(error["message"])


@pytest.mark.parametrize("body", ['{"value": null}', "{", "no JSON at all"])
def test_an_answer_of_any_body(m365: Cloud, graph: requests.Session, body: str):
    """`body` is the whole answer, also of a request that succeeds."""
    order = {"service": "graph", "path": "/users$", "fault": "200", "body": body}
    apply_order(m365.tenant.faults, order)
    answer = graph.get(f"{m365.tenant.urls.graph}/v1.0/users")

    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize("kind", CONNECTION_KINDS)
def test_broken_connections_are_errors_of_the_transport(
    m365: Cloud, graph: requests.Session, kind: str
):
    """Reset, time-out, half an answer and a lost answer all leave the client without one."""
    user = m365.add_user("anna")
    url = f"{m365.tenant.urls.graph}/v1.0/users/{user.id}"
    ambush(m365, kind, seconds=0.05)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        graph.get(url)
    assert graph.get(url).status_code == 200


@pytest.mark.parametrize(("kind", "done"), [("reset", False), ("lost-answer", True)])
def test_a_lost_answer_has_done_its_work(
    m365: Cloud, graph: requests.Session, kind: str, done: bool
):
    """After `reset` nothing happened, after `lost-answer` everything did."""
    user = m365.add_user("anna")
    ambush(m365, kind)

    with pytest.raises(requests.ConnectionError):
        graph.patch(
            f"{m365.tenant.urls.graph}/v1.0/users/{user.id}", json={"displayName": "Changed"}
        )
    assert (user.display_name == "Changed") is done


def test_sharepoint_throttles_in_whole_seconds(m365: Cloud):
    """Retry-After is rounded up and RateLimit-Reset repeats it."""
    order = {"service": "sharepoint", "fault": "429", "retryAfter": 1.5}
    apply_order(m365.tenant.faults, order)
    with m365.session(m365.tenant.urls.my) as session:
        answer = session.post(f"{m365.tenant.urls.my}/_api/contextinfo")
    assert answer.status_code == 429
    assert (answer.headers["Retry-After"], answer.headers["RateLimit-Reset"]) == ("2", "2")


def test_an_answer_is_in_the_journal_before_it_arrives():
    """Who has read an answer finds its entry, so that calls can be counted without waiting."""
    tenant = Tenant(TENANT_ID)
    seen: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            seen.append(len(tenant.journal.after(0)))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
    }
    entrance = FaultMiddleware(PlainTextResponse("hello"), tenant, service="graph")
    asyncio.run(entrance(scope, receive, send))

    assert (seen, len(tenant.journal.after(0))) == ([1], 1)


def test_the_journal_says_who_asked_what(m365: Cloud, graph: requests.Session):
    """An entry names service, host, method, path, status, client, user and the fault."""
    user = m365.add_user("anne.o'brien")
    ambush(m365, "500")
    graph.get(f"{m365.tenant.urls.graph}/v1.0/users/{user.user_principal_name}")

    login, entry = m365.tenant.journal.after(0)[-2:]

    assert login["service"] == "login"
    assert entry["clientId"] == login["clientId"]
    assert {key: entry[key] for key in ("service", "host", "method", "status", "fault")} == {
        "service": "graph",
        "host": "graph",
        "method": "GET",
        "status": 500,
        "fault": "500",
    }
    assert entry["userId"] == user.id


def test_the_journal_counts_bytes(m365: Cloud, graph: requests.Session):
    """An entry tells how many bytes the bodies had, as they were sent and answered."""
    body = b'{"requests": [{"id": "1", "method": "GET", "url": "/users"}]}'
    headers = {"Content-Type": "application/json"}
    reply = graph.post(f"{m365.tenant.urls.graph}/v1.0/$batch", data=body, headers=headers)

    *_, entry = m365.tenant.journal.after(0)

    assert (entry["received"], entry["sent"]) == (len(body), len(reply.content))


def test_sharepoint_entries_name_the_user_by_account_or_file(m365: Cloud):
    """Profiles are named by UPN in query or body, files by object id or by the UPN's family."""
    user = m365.add_user("anne.o'brien")
    account = "i:0#.f|membership|anne.o''brien@contoso.com"
    manager = f"{m365.tenant.urls.admin}/_api/SP.UserProfiles.PeopleManager"
    with m365.session(m365.tenant.urls.admin) as session:
        session.get(f"{manager}/GetPropertiesFor(accountName=@v)", params={"@v": f"'{account}'"})
        body = {
            "accountName": account.replace("''", "'"),
            "propertyName": "PictureURL",
            "propertyValue": "",
        }
        session.post(f"{manager}/SetSingleValueProfileProperty", json=body)
    with m365.session(m365.tenant.urls.my) as session:
        for name in (user.id, "anne_o_brien_contoso_com"):
            path = f"/User Photos/Profile Pictures/{name}_MThumb.jpg"
            session.get(
                f"{m365.tenant.urls.my}/_api/web/GetFileByServerRelativePath(decodedurl='{path}')"
            )

    entries = [e for e in m365.tenant.journal.after(0) if e["service"] == "sharepoint"]
    assert [entry["userId"] for entry in entries] == [user.id] * 4
