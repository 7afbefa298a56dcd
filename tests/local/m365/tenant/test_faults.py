"""Faults and latency: repeatable by seed, and the effect of each kind on a connection."""

from __future__ import annotations

import asyncio
import random

import pytest
import requests
from starlette.responses import PlainTextResponse
from starlette.types import Message

from local.m365.faults import FaultMiddleware
from local.m365.tenant.fault_plan import CONNECTION_KINDS, FaultPlan, Latency, Odds, apply_order
from local.m365.tenant.tenant import Tenant
from tests.local.m365.picture_library import file_path
from tests.local.m365.sharepoint import test_profiles
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud, HostSession

KINDS = ("429", "503", "reset")


def inject(m365: Cloud, kind: str, path: str = "/users", **more: object) -> None:
    apply_order(m365.tenant.faults, {"service": "graph", "path": path, "fault": kind, **more})


def test_seed_repeats_the_faults_in_any_order():
    """A request's fault depends on the request and how often it was made, not on others."""
    requests_made = [("GET", f"/users/{number % 10}") for number in range(200)]

    def faults(order: list[tuple[str, str]], seed: int) -> dict[tuple[str, str], list[str]]:
        plan, found = FaultPlan(), dict[tuple[str, str], list[str]]()
        plan.set_odds("graph", Odds(0.3, KINDS, seed))
        for method, path in order:
            fault = plan.draw("graph", method, path).fault
            found.setdefault((method, path), []).append(fault.kind if fault else "")
        return found

    shuffled = random.Random(1).sample(requests_made, len(requests_made))
    assert faults(requests_made, 7) == faults(shuffled, 7)
    assert faults(requests_made, 7) != faults(requests_made, 8)


@pytest.mark.parametrize(("rate", "low", "high"), [(0.0, 0, 0), (0.5, 151, 249), (1.0, 400, 400)])
def test_rate_is_the_share_of_requests(rate: float, low: int, high: int):
    """Of 400 requests; a rate between 0 and 1 is met approximately."""
    plan = FaultPlan()
    plan.set_odds("graph", Odds(rate, KINDS))
    faults = [plan.draw("graph", "GET", f"/{n}").fault for n in range(400)]
    assert low <= sum(fault is not None for fault in faults) <= high


def test_jitter_comes_from_the_seed():
    """Latency is the base plus a share of the jitter, the same each time."""
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
def test_bad_orders_are_refused(order: dict[str, object]):
    """Services, rates and kinds are checked."""
    with pytest.raises(ValueError, match="."):
        apply_order(FaultPlan(), order)


def test_next_matching_requests_fail(m365: Cloud, graph: HostSession):
    """`next` counts down; other methods and paths are not affected."""
    path = f"/users/{m365.add_user('anna').id}"
    inject(m365, "503", f"{path}$", next=2, method="GET", retryAfter=3)

    assert graph.patch(path, json={"city": "Bonn"}).status_code == 204
    answers = [graph.get(path) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "3"


def test_throttling_without_retry_after(m365: Cloud, graph: HostSession):
    """`429-bare` has no Retry-After."""
    inject(m365, "429-bare")
    answer = graph.get("/users")
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, False)


@pytest.mark.parametrize(("service", "host"), [("graph", "graph"), ("sharepoint", "my")])
def test_page_of_an_intermediate_proxy(m365: Cloud, service: str, host: str):
    """`404-html` is HTML without the service's headers."""
    apply_order(m365.tenant.faults, {"service": service, "fault": "404-html"})
    with m365.session(getattr(m365.tenant.urls, host)) as session:
        answer = session.get("/users")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "request-id" not in answer.headers
    assert answer.text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("service", "host", "key"), [("graph", "graph", "error"), ("sharepoint", "my", "odata.error")]
)
def test_error_with_given_code_and_message(m365: Cloud, service: str, host: str, key: str):
    """In the service's own form."""
    given = {"code": "-1, System.SomethingNew", "message": "An unexpected error."}
    apply_order(m365.tenant.faults, {"service": service, "fault": "404", **given})
    with m365.session(getattr(m365.tenant.urls, host)) as session:
        error = session.get("/users").json()[key]

    assert error["code"] == given["code"]
    assert given["message"] in str(error["message"])


@pytest.mark.parametrize("body", ['{"value": null}', "{", "no JSON at all"])
def test_answer_with_given_body(m365: Cloud, graph: HostSession, body: str):
    """`body` is the complete answer, also with status 200."""
    inject(m365, "200", "/users$", body=body)
    answer = graph.get("/users")

    assert (answer.status_code, answer.text) == (200, body)


@pytest.mark.parametrize("kind", CONNECTION_KINDS)
def test_broken_connections_are_transport_errors(m365: Cloud, graph: HostSession, kind: str):
    """After a reset, a timeout, half an answer or a lost answer the client has no answer."""
    inject(m365, kind, seconds=0.05)

    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        graph.get("/users")
    assert graph.get("/users").status_code == 200


@pytest.mark.parametrize(("kind", "done"), [("reset", False), ("lost-answer", True)])
def test_lost_answer_of_a_processed_request(m365: Cloud, graph: HostSession, kind: str, done: bool):
    """With `reset` the request is not processed, with `lost-answer` it is."""
    user = m365.add_user("anna")
    inject(m365, kind)

    with pytest.raises(requests.ConnectionError):
        graph.patch(f"/users/{user.id}", json={"displayName": "Changed"})
    assert (user.display_name == "Changed") is done


def test_sharepoint_throttles_in_whole_seconds(m365: Cloud):
    """Retry-After is rounded up and RateLimit-Reset repeats it."""
    order = {"service": "sharepoint", "fault": "429", "retryAfter": 1.5}
    apply_order(m365.tenant.faults, order)
    with m365.session(m365.tenant.urls.my) as session:
        answer = session.post("/_api/contextinfo")
    assert answer.status_code == 429
    assert (answer.headers["Retry-After"], answer.headers["RateLimit-Reset"]) == ("2", "2")


def test_answer_is_in_the_journal_before_it_arrives():
    """A client that has an answer finds its entry, so that tests need not wait for it."""
    tenant = Tenant(TENANT_ID)
    seen: list[int] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            seen.append(len(tenant.journal.after(0)))

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    entrance = FaultMiddleware(PlainTextResponse("hello"), tenant, service="graph")
    asyncio.run(entrance(scope, receive, send))

    assert (seen, len(tenant.journal.after(0))) == ([1], 1)


def test_journal_entry(m365: Cloud, graph: HostSession):
    """It has service, host, method, path, status, client, user and the fault."""
    user = m365.add_user("anne.o'brien")
    inject(m365, "500")
    graph.get(f"/users/{user.user_principal_name}")
    m365.sim("GET", "/health")

    # None for the control API.
    *logins, entry = m365.tenant.journal.after(0)

    assert {each["service"] for each in logins} == {"login"}
    assert entry["clientId"] == logins[-1]["clientId"] == ADMIN_APP
    assert (entry["service"], entry["host"], entry["method"]) == ("graph", "graph", "GET")
    assert (entry["status"], entry["fault"], entry["userId"]) == (500, "500", user.id)


def test_journal_counts_bytes(m365: Cloud, graph: HostSession):
    """An entry has the sizes of both bodies."""
    body = b'{"requests": [{"id": "1", "method": "GET", "url": "/users"}]}'
    reply = graph.post("/$batch", data=body, headers={"Content-Type": "application/json"})

    *_, entry = m365.tenant.journal.after(0)

    assert (entry["received"], entry["sent"]) == (len(body), len(reply.content))


def test_user_in_entries_of_sharepoint(m365: Cloud):
    """Found by the account in query or body, and by object id or UPN in a file name."""
    user = m365.add_user("anne.o'brien")
    with m365.session(m365.tenant.urls.admin) as session:
        test_profiles.read(session, test_profiles.account(user))
        test_profiles.write(session, user, "PictureURL", "")
    with m365.session(m365.tenant.urls.my) as session:
        for name in (user.id, "anne_o_brien_contoso_com"):
            session.get(file_path(f"{name}_MThumb.jpg"))

    entries = [e for e in m365.tenant.journal.after(0) if e["service"] == "sharepoint"]
    assert [entry["userId"] for entry in entries] == [user.id] * 4
    assert [(entry["host"], entry["status"]) for entry in entries] == [
        *[("admin", 200)] * 2,
        *[("my", 404)] * 2,
    ]
    assert {entry["clientId"] for entry in entries} == {ADMIN_APP}
