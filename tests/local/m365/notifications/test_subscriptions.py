"""Subscriptions: the handshake, the fields, renewal, quotas, the end."""

from __future__ import annotations

import threading
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
from tests.doubles.web import Answer
from tests.local.m365.simulator import PHOTOSYNC_APP, TENANT_ID, Cloud, HostSession
from tests.local.m365.webhook import DEADLINE, Call, Webhook, echo

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATH = "/subscriptions"


def order(url: str = "https://localhost/hook", **more: Any) -> dict[str, Any]:
    return {
        "changeType": "updated,deleted",
        "notificationUrl": url,
        "resource": "users",
        "expirationDateTime": "2026-05-08T12:00:00Z",
        "clientState": "secret",
        **more,
    }


def later(m365: Cloud, days: int) -> str:
    return (m365.tenant.now() + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def subscribe(m365: Cloud, graph: HostSession, hook: Webhook, **more: Any) -> requests.Response:
    return graph.post(PATH, json=order(hook.url, expirationDateTime=later(m365, 7), **more))


@pytest.fixture
def one(m365: Cloud, graph: HostSession, hook: Webhook) -> str:
    """The path of an existing subscription."""
    return f"{PATH}/{subscribe(m365, graph, hook).json()['id']}"


def test_both_urls_get_a_handshake(m365: Cloud, graph: HostSession, hook: Webhook):
    """Equal URLs get two, with their own query, and with a token that must be decoded."""
    answer = subscribe(m365, graph, hook, lifecycleNotificationUrl=hook.url)

    assert (answer.status_code, answer.json()["clientState"]) == (201, "secret")
    assert len(hook.calls) == 2
    for call in hook.calls:
        assert call.raw_query.startswith("code=key&validationToken=")
        assert (call.content_type, call.body) == ("text/plain; charset=utf-8", b"")
        token = call.token or ""
        assert " " in token
        assert ": " in token
        assert token.endswith(" +1")
    # Spaces are %20 in one handshake, + in the other.
    assert sorted("%20" in call.raw_query for call in hook.calls) == [False, True]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500), "must respond with 200 OK"),
        (Answer(202, b"x"), "must respond with 200 OK"),
        (Answer(200, b"something else"), "must exactly match"),
    ],
)
def test_failed_handshake_creates_no_subscription(
    m365: Cloud, graph: HostSession, hook: Webhook, answer: Answer, words: str
):
    """400 ValidationError, and nothing is stored."""
    hook.answer = lambda call: answer

    refused = subscribe(m365, graph, hook)

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
def test_injected_fault_of_a_handshake(
    m365: Cloud, graph: HostSession, hook: Webhook, kind: str, words: str
):
    """A fault of `webhook` replaces its answer; then handshakes reach it again."""
    fault_plan.apply_order(m365.tenant.faults, {"service": "webhook", "fault": kind})

    refused = subscribe(m365, graph, hook)

    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]
    assert hook.calls == []
    assert subscribe(m365, graph, hook).status_code == 201


@pytest.mark.parametrize("listed", ["none", "empty"])
def test_list_that_omits_a_subscription(m365: Cloud, graph: HostSession, one: str, listed: str):
    """By a switch the list or its first page is empty; by its id each is found."""
    m365.tenant.switches.subscriptions_listed = listed

    first = graph.get(PATH).json()

    assert first["value"] == []
    assert ("@odata.nextLink" in first) is (listed == "empty")
    if listed == "empty":
        assert len(graph.get(first["@odata.nextLink"]).json()["value"]) == 1
    assert one.endswith(graph.get(one).json()["id"])


def test_slow_endpoint_times_out(m365: Cloud, graph: HostSession, hook: Webhook):
    """No answer within the budget, as after a cold start: 400 InvalidRequest."""
    m365.tenant.switches.handshake_budget_seconds = 0.2
    awake = threading.Event()

    def late(call: Call) -> Answer:
        awake.wait(DEADLINE)
        return echo(call)

    hook.answer = late
    error = subscribe(m365, graph, hook).json()["error"]
    awake.set()

    assert (error["code"], error["message"]) == ("InvalidRequest", rules.TIMED_OUT)


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_unreachable_endpoint_is_refused(m365: Cloud, graph: HostSession, scheme: str):
    """A closed port fails the handshake; plain HTTP gets none."""
    body = order(f"{scheme}://localhost:9/hook", expirationDateTime=later(m365, 7))
    assert graph.post(PATH, json=body).status_code == 400


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
def test_invalid_fields_are_refused(change: dict[str, Any]):
    """Each field is checked, and unknown fields are refused."""
    with pytest.raises(Refusal) as refusal:
        rules.read_order(order(**change), NOON)
    assert refusal.value.status == 400


def test_the_longest_life_is_41760_minutes():
    """Up to 29 days are accepted, more is an ExtensionError."""
    longest = (NOON + timedelta(minutes=41_760)).isoformat()
    beyond = (NOON + timedelta(minutes=41_770)).isoformat()

    assert rules.read_expiry(longest, NOON) == NOON + rules.LONGEST
    with pytest.raises(Refusal) as refusal:
        rules.read_expiry(beyond, NOON)
    assert refusal.value.code == "ExtensionError"


def test_short_life_is_silently_raised():
    """Less than 45 minutes becomes 45."""
    assert rules.read_expiry("2026-05-01T12:01:00.1234567Z", NOON) == NOON + timedelta(minutes=45)


def test_duplicate_is_refused(m365: Cloud, graph: HostSession, hook: Webhook, one: str):
    """409 with the existing id for the same resource and changes, in any order."""
    same = {"resource": "/Users", "changeType": "deleted, updated"}
    duplicate = subscribe(m365, graph, hook, **same)
    other = subscribe(m365, graph, hook, changeType="updated")

    assert (duplicate.status_code, other.status_code) == (409, 201)
    assert one.removeprefix(f"{PATH}/") in duplicate.json()["error"]["message"]


def test_an_app_has_100_subscriptions_at_most():
    """One more is a 403; other apps have their own 100."""
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


def test_subscription_is_listed_renewed_and_deleted(m365: Cloud, graph: HostSession, one: str):
    """PATCH sets a new expiry; after DELETE it is a 404."""
    expires = later(m365, 20)
    renewed = graph.patch(one, json={"expirationDateTime": expires})
    (listed,) = graph.get(PATH).json()["value"]

    assert (renewed.status_code, renewed.json()["expirationDateTime"]) == (200, expires)
    assert one == f"{PATH}/{listed['id']}"
    assert (graph.delete(one).status_code, graph.get(one).status_code) == (204, 404)


def test_lifecycle_url_cannot_be_added_later(graph: HostSession, hook: Webhook, one: str):
    """PATCH changes only the expiry and the notification URL, which gets a handshake first."""
    late = graph.patch(one, json={"lifecycleNotificationUrl": hook.url})
    moved = graph.patch(one, json={"notificationUrl": f"{hook.url}&moved=1"})

    assert (late.status_code, moved.status_code) == (400, 200)
    assert hook.calls[-1].raw_query.startswith("code=key&moved=1&validationToken=")


def test_two_kinds_of_renewal_within_ten_minutes(m365: Cloud, graph: HostSession, one: str):
    """A PATCH reauthorizes too, so it is refused soon after a reauthorize."""
    renewal = {"expirationDateTime": later(m365, 20)}

    first = graph.post(f"{one}/reauthorize")
    too_soon = graph.patch(one, json=renewal)
    m365.tenant.skew += timedelta(minutes=10)
    in_time = graph.patch(one, json=renewal)

    assert [first.status_code, too_soon.status_code, in_time.status_code] == [204, 400, 200]


def test_expired_subscription(m365: Cloud, graph: HostSession, hook: Webhook, one: str):
    """PATCH is a 404, and the same subscription can be created again."""
    (stored,) = m365.tenant.subscriptions.values()
    stored.expires = m365.tenant.now()

    assert graph.patch(one, json={"expirationDateTime": later(m365, 20)}).status_code == 404
    assert subscribe(m365, graph, hook).status_code == 201


def test_listing_too_often_is_throttled(
    m365: Cloud, graph: HostSession, monkeypatch: pytest.MonkeyPatch
):
    """The 26th list within 20 seconds is a 429 with Retry-After."""
    now = m365.tenant.now()
    monkeypatch.setattr(m365.tenant, "_clock", lambda: now)
    answers = [graph.get(PATH) for _ in range(26)]
    assert [answer.status_code for answer in answers] == [200] * 25 + [429]
    assert 0 < float(answers[-1].headers["Retry-After"]) <= 20


def test_other_apps_do_not_see_it(m365: Cloud, one: str):
    """A subscription belongs to the app that created it."""
    with m365.session(m365.tenant.urls.graph, PHOTOSYNC_APP) as other:
        assert other.get(one).status_code == 404
        assert other.get(PATH).json()["value"] == []
