"""Subscriptions: the handshake, the fields, renewal, quotas, the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.m365.graph.wire import Refusal
from local.m365.notifications import subscription_rules as rules
from local.m365.notifications.https_post import Reply
from local.m365.tenant import fault_plan
from local.m365.tenant.records import Subscription
from local.m365.tenant.tenant import Tenant
from tests.local.m365.simulator import PHOTOSYNC_APP, TENANT_ID, Cloud
from tests.local.m365.webhook import Answer, Call, Webhook, echo, webhook

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        session.headers["Accept"] = "*/*"
        yield session


@pytest.fixture
def hook(m365: Cloud) -> Iterator[Webhook]:
    with webhook(m365.certificates) as running:
        yield running


def order(url: str = "https://localhost/hook", **more: Any) -> dict[str, Any]:
    return {
        "changeType": "updated,deleted",
        "notificationUrl": url,
        "resource": "users",
        "expirationDateTime": "2026-05-08T12:00:00Z",
        "clientState": "secret",
        **more,
    }


def wanted(m365: Cloud, hook: Webhook, **more: Any) -> dict[str, Any]:
    expires = (m365.tenant.now() + timedelta(days=7)).isoformat()
    return order(hook.url, expirationDateTime=expires, **more)


def subscriptions(m365: Cloud, name: str = "") -> str:
    return f"{m365.tenant.urls.graph}/v1.0/subscriptions{name and '/' + name}"


def test_both_urls_are_asked_before_the_subscription_exists(
    m365: Cloud, graph: requests.Session, hook: Webhook
):
    """Equal URLs get two handshakes, with the webhook's own query kept."""
    answer = graph.post(
        subscriptions(m365), json=wanted(m365, hook, lifecycleNotificationUrl=hook.url)
    )

    assert answer.status_code == 201
    assert answer.json()["clientState"] == "secret"
    assert len(hook.calls) == 2
    assert all(call.raw_query.startswith("code=key&validationToken=") for call in hook.calls)
    assert all(call.content_type == "text/plain; charset=utf-8" for call in hook.calls)
    assert all(call.body == b"" for call in hook.calls)


def test_tokens_need_decoding(m365: Cloud, graph: requests.Session, hook: Webhook):
    """A token has spaces, colons and a plus; one handshake writes spaces as %20, one as +."""
    graph.post(subscriptions(m365), json=wanted(m365, hook, lifecycleNotificationUrl=hook.url))

    tokens = [call.token or "" for call in hook.calls]
    assert all(" " in token and ": " in token and token.endswith(" +1") for token in tokens)
    assert sorted("%20" in call.raw_query for call in hook.calls) == [False, True]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500), "must respond with 200 OK"),
        (Answer(202, b"x"), "must respond with 200 OK"),
        (Answer(200, b"something else"), "must exactly match"),
    ],
)
def test_a_failed_handshake_makes_no_subscription(
    m365: Cloud, graph: requests.Session, hook: Webhook, answer: Answer, words: str
):
    """400 ValidationError, and nothing is kept."""
    hook.answer = lambda call: answer

    refused = graph.post(subscriptions(m365), json=wanted(m365, hook))

    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "ValidationError")
    assert words in error["message"]
    assert m365.tenant.subscriptions == {}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("502", "HTTP status code is 'BadGateway'. Notification endpoint must respond with 200"),
        ("403", "HTTP status code is 'Forbidden'."),
        ("reset", "failed. Notification endpoint must respond"),
        ("timeout", "timed out"),
    ],
)
def test_a_handshake_fails_to_order(
    m365: Cloud, graph: requests.Session, hook: Webhook, kind: str, words: str
):
    """A fault of `webhook` stands for its answer to the next handshakes; then it is asked again."""
    fault_plan.apply_order(m365.tenant.faults, {"service": "webhook", "fault": kind})

    refused = graph.post(subscriptions(m365), json=wanted(m365, hook))

    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]
    assert hook.calls == []
    assert graph.post(subscriptions(m365), json=wanted(m365, hook)).status_code == 201


@pytest.mark.parametrize("listed", ["none", "empty"])
def test_a_list_leaves_one_out(m365: Cloud, graph: requests.Session, hook: Webhook, listed: str):
    """By a switch the list is empty, or its first page is; by its id each is found."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    m365.tenant.switches.subscriptions_listed = listed

    first = graph.get(subscriptions(m365)).json()

    assert first["value"] == []
    assert ("@odata.nextLink" in first) is (listed == "empty")
    if listed == "empty":
        assert len(graph.get(first["@odata.nextLink"]).json()["value"]) == 1
    assert graph.get(subscriptions(m365, one)).json()["id"] == one


def test_a_sleeping_endpoint_times_out(m365: Cloud, graph: requests.Session, hook: Webhook):
    """No answer within the budget: 400 InvalidRequest, as after a cold start."""
    m365.tenant.switches.handshake_budget_seconds = 0.2
    awake = threading.Event()

    def late(call: Call) -> Answer:
        awake.wait(5)
        return echo(call)

    hook.answer = late
    refused = graph.post(subscriptions(m365), json=wanted(m365, hook))
    awake.set()

    assert refused.json()["error"]["code"] == "InvalidRequest"
    assert refused.json()["error"]["message"] == rules.TIMED_OUT


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_endpoint_nobody_can_reach_is_refused(m365: Cloud, graph: requests.Session, scheme: str):
    """A closed port fails the handshake, plain HTTP is not even asked."""
    refused = graph.post(subscriptions(m365), json=order(f"{scheme}://localhost:9/hook"))
    assert refused.status_code == 400


@pytest.mark.parametrize(
    ("media_type", "body", "accepted"),
    [
        ("text/plain; charset=utf-8", b"a +", True),
        ("application/json", b"a +", False),
        ("text/plain", b"a%20+", False),
        ("text/plain", b'"a +"', False),
    ],
)
def test_only_the_decoded_token_as_plain_text_is_accepted(
    media_type: str, body: bytes, accepted: bool
):
    """200 alone is not enough."""
    fault = rules.handshake_fault("a +", Reply(200, {"content-type": media_type}, body))
    assert (fault is None) is accepted


@pytest.mark.parametrize(
    "change",
    [
        {"changeType": "created"},
        {"changeType": "updated,"},
        {"changeType": None},
        {"notificationUrl": "http://localhost/hook"},
        {"notificationUrl": "/hook"},
        {"lifecycleNotificationUrl": "http://localhost/hook"},
        {"resource": "https://graph.microsoft.com/v1.0/users"},
        {"resource": "users/1/photo"},
        {"resource": "me"},
        {"expirationDateTime": "tomorrow"},
        {"expirationDateTime": "2026-05-08T12:00:00"},
        {"expirationDateTime": "2026-05-01T11:59:59Z"},
        {"clientState": "x" * 129},
        {"clientState": 7},
        {"latestSupportedTlsVersion": "v3"},
        {"includeResourceData": True},
    ],
)
def test_fields_that_break_a_rule_are_refused(change: dict[str, Any]):
    """Each field has its rule, and unknown fields have none."""
    with pytest.raises(Refusal) as refusal:
        rules.read_order(order(**change), NOON)
    assert refusal.value.status == 400


def test_the_longest_life_is_41760_minutes():
    """Up to 29 days are taken, more is an ExtensionError."""
    longest = (NOON + timedelta(minutes=41_760)).isoformat()
    beyond = (NOON + timedelta(minutes=41_770)).isoformat()

    assert rules.read_expiry(longest, NOON) == NOON + rules.LONGEST
    with pytest.raises(Refusal) as refusal:
        rules.read_expiry(beyond, NOON)
    assert refusal.value.code == "ExtensionError"


def test_a_short_life_is_silently_raised():
    """Less than 45 minutes become 45."""
    assert rules.read_expiry("2026-05-01T12:01:00.1234567Z", NOON) == NOON + timedelta(minutes=45)


def test_a_twin_is_refused_with_the_id_of_the_first(
    m365: Cloud, graph: requests.Session, hook: Webhook
):
    """409 for the same resource and changes, in any order; another change is another one."""
    first = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]

    twin = graph.post(
        subscriptions(m365),
        json=wanted(m365, hook, resource="/Users", changeType="deleted, updated"),
    )
    other = graph.post(subscriptions(m365), json=wanted(m365, hook, changeType="updated"))

    assert (twin.status_code, other.status_code) == (409, 201)
    assert first in twin.json()["error"]["message"]


def test_an_app_has_100_subscriptions_at_most():
    """One more is a 403; other apps have their own hundred."""
    tenant = Tenant(TENANT_ID, clock=lambda: NOON)
    for number in range(rules.PER_APP_AND_TENANT):
        resource = f"users/{number}"
        one = Subscription(str(number), "app", resource, "updated", "", NOON + timedelta(days=1))
        tenant.subscriptions[one.id] = one
    new = rules.read_order(order(), NOON)

    rules.refuse_over_quota(tenant, new, "another app")
    with pytest.raises(Refusal) as refusal:
        rules.refuse_over_quota(tenant, new, "app")
    assert refusal.value.status == 403


def test_a_subscription_can_be_read_renewed_and_deleted(
    m365: Cloud, graph: requests.Session, hook: Webhook
):
    """PATCH takes a new expiry, DELETE ends it, after that it is a 404."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    later = (m365.tenant.now() + timedelta(days=20)).strftime("%Y-%m-%dT%H:%M:%SZ")

    renewed = graph.patch(subscriptions(m365, one), json={"expirationDateTime": later})
    listed = graph.get(subscriptions(m365)).json()["value"]
    deleted = graph.delete(subscriptions(m365, one)).status_code
    gone = graph.get(subscriptions(m365, one)).status_code

    assert (renewed.status_code, renewed.json()["expirationDateTime"]) == (200, later)
    assert [entry["id"] for entry in listed] == [one]
    assert (deleted, gone) == (204, 404)


def test_a_lifecycle_url_cannot_be_added_later(m365: Cloud, graph: requests.Session, hook: Webhook):
    """PATCH knows the expiry and the notification URL only; a new URL is asked first."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    url = subscriptions(m365, one)

    late = graph.patch(url, json={"lifecycleNotificationUrl": hook.url})
    moved = graph.patch(url, json={"notificationUrl": f"{hook.url}&moved=1"})

    assert (late.status_code, moved.status_code) == (400, 200)
    assert hook.calls[-1].raw_query.startswith("code=key&moved=1&validationToken=")


def test_renewing_in_both_ways_within_ten_minutes_is_refused(
    m365: Cloud, graph: requests.Session, hook: Webhook
):
    """PATCH reauthorizes too, so that both together are a mistake."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    url = subscriptions(m365, one)
    later = {"expirationDateTime": (m365.tenant.now() + timedelta(days=20)).isoformat()}

    first = graph.post(f"{url}/reauthorize")
    too_soon = graph.patch(url, json=later)
    m365.tenant.skew += timedelta(minutes=10)
    in_time = graph.patch(url, json=later)

    assert [first.status_code, too_soon.status_code, in_time.status_code] == [204, 400, 200]


def test_an_expired_subscription_vanishes(m365: Cloud, graph: requests.Session, hook: Webhook):
    """After its time PATCH is a 404 and its place is free."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    m365.tenant.subscriptions[one].expires = m365.tenant.now()
    later = {"expirationDateTime": (m365.tenant.now() + timedelta(days=20)).isoformat()}

    assert graph.patch(subscriptions(m365, one), json=later).status_code == 404
    assert graph.post(subscriptions(m365), json=wanted(m365, hook)).status_code == 201


def test_listing_too_often_is_throttled(m365: Cloud, graph: requests.Session):
    """The 26th listing within 20 seconds is a 429 that says how long to wait."""
    statuses = [graph.get(subscriptions(m365)) for _ in range(26)]
    assert [answer.status_code for answer in statuses] == [200] * 25 + [429]
    assert 0 < float(statuses[-1].headers["Retry-After"]) <= 20


def test_other_apps_do_not_see_it(m365: Cloud, graph: requests.Session, hook: Webhook):
    """A subscription belongs to the app that made it."""
    one = graph.post(subscriptions(m365), json=wanted(m365, hook)).json()["id"]
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as other:
        assert other.get(subscriptions(m365, one)).status_code == 404
        assert other.get(subscriptions(m365)).json()["value"] == []
