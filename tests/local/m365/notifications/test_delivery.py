"""Change notifications: content, retries, and the effect of switches."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.m365.notifications import items
from local.m365.notifications import pace as delivery_pace
from local.m365.tenant.records import Subscription, User
from tests.doubles.web import Answer
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud
from tests.local.m365.webhook import DEADLINE, Call, Webhook

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def subscribe(m365: Cloud, hook: Webhook, changes: str = "updated,deleted") -> Subscription:
    """A subscription without a handshake, which is tested separately."""
    one = Subscription(
        id=m365.tenant.new_id(),
        app_id=ADMIN_APP,
        resource="users",
        change_type=changes,
        notification_url=hook.url,
        expires=m365.tenant.now() + timedelta(days=1),
        client_state="secret",
        lifecycle_url=hook.url,
    )
    m365.tenant.subscriptions[one.id] = one
    return one


@pytest.fixture
def one(m365: Cloud, hook: Webhook) -> Subscription:
    return subscribe(m365, hook)


def notify(m365: Cloud, user: User, **more: Any) -> None:
    """Report a change on the simulator's event loop, where all changes are reported."""
    m365.sim("POST", "/notify", {"user": user.id, **more})


def deliveries(m365: Cloud) -> list[dict[str, Any]]:
    return [entry for entry in m365.tenant.journal.after(0) if entry["service"] == "delivery"]


def wait_until_delivered(m365: Cloud) -> None:
    """Return once no POST is under way or waits for its retry."""
    deadline = time.monotonic() + DEADLINE
    while m365.sim("GET", "/health")["deliveries"]:
        assert time.monotonic() < deadline, "Graph was still posting"
        # The simulator sends no signal.
        time.sleep(0.01)


def test_an_item_has_the_documented_shape(
    m365: Cloud, hook: Webhook, anna: User, one: Subscription
):
    """The documented fields of a users item, and no others."""
    notify(m365, anna)
    hook.wait_for(lambda: hook.items)

    (item,) = hook.items
    data = item.pop("resourceData")
    assert item == {
        "changeType": "updated",
        "clientState": "secret",
        "resource": f"Users/{anna.id}",
        "subscriptionId": one.id,
        "tenantId": TENANT_ID,
        "subscriptionExpirationDateTime": one.expires.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00"),
    }
    names = "@odata.type @odata.id id organizationId eventTime sequenceNumber"
    assert set(data) == set(names.split())
    assert (data["@odata.type"], data["id"]) == ("#Microsoft.Graph.User", anna.id)
    assert hook.calls[0].raw_query == "code=key"
    assert hook.calls[0].content_type.startswith("application/json")


def test_sequence_numbers_count_ticks():
    """They count 100 ns since the year 1, as in the documented example."""
    moment = datetime(2022, 5, 24, 22, 24, 31, 306290, tzinfo=UTC)
    assert items.ticks(moment) == 637890278713062900


@pytest.mark.usefixtures("one")
def test_change_of_only_the_photo(m365: Cloud, hook: Webhook, anna: User):
    """With `photoOnlyNotifies` it sends `updated`, without it nothing."""
    for wanted in (False, True):
        m365.tenant.switches.photo_only_notifies = wanted
        m365.sim("PATCH", f"/users/{anna.id}", {"photo": None, "notify": True})

    hook.wait_for(lambda: hook.items)
    assert [item["changeType"] for item in hook.items] == ["updated"]


def test_only_subscribed_changes_are_sent(m365: Cloud, hook: Webhook, anna: User):
    """A subscription to `deleted` gets no other change."""
    subscribe(m365, hook, "deleted")
    notify(m365, anna, change="updated")
    notify(m365, anna, change="deleted")
    hook.wait_for(lambda: hook.items)

    assert [item["changeType"] for item in hook.items] == ["deleted"]


@pytest.mark.usefixtures("one")
def test_items_share_a_post(m365: Cloud, hook: Webhook, anna: User):
    """Simultaneous items are sent in one POST, up to the batch size."""
    m365.tenant.switches.notification_batch = 3

    notify(m365, anna, times=7)
    hook.wait_for(lambda: len(hook.items) == 7)

    assert sorted(len(call.items) for call in hook.calls) == [1, 3, 3]


@pytest.mark.usefixtures("one")
def test_refused_delivery_is_retried(m365: Cloud, hook: Webhook, anna: User):
    """Until a 2xx, with the same body; the journal has each attempt, without the webhook's key."""
    m365.tenant.switches.backoff_seconds = 0.01
    hook.answer = lambda call: Answer({1: 503, 2: 500}.get(len(hook.calls), 202))

    notify(m365, anna)
    wait_until_delivered(m365)

    assert len({call.body for call in hook.calls}) == 1
    attempts = deliveries(m365)
    assert [(e["status"], e["attempt"], e["userId"]) for e in attempts] == [
        (503, 1, anna.id),
        (500, 2, anna.id),
        (202, 3, anna.id),
    ]
    assert len({e["post"] for e in attempts}) == 1
    assert "code=key" not in str(attempts)


@pytest.mark.usefixtures("one")
def test_slow_answer_counts_as_none(m365: Cloud, hook: Webhook, anna: User):
    """An answer after the budget is ignored, and the item is sent again."""
    switches = m365.tenant.switches
    # Both: on a busy machine the first attempt may end before it is connected.
    switches.first_budget_seconds = switches.retry_budget_seconds = 0.1
    switches.backoff_seconds = 0.01
    released = threading.Event()

    def late(call: Call) -> Answer:
        if len(hook.calls) < 2:
            released.wait(DEADLINE)
        return Answer(202)

    hook.answer = late
    notify(m365, anna)
    hook.wait_for(lambda: len(hook.calls) >= 2)
    released.set()

    assert deliveries(m365)[0]["status"] == 0


def test_deliveries_end_with_the_subscription(
    m365: Cloud, hook: Webhook, anna: User, one: Subscription
):
    """A delivery that is refused while its subscription ends is not retried."""
    m365.tenant.switches.backoff_seconds = 0.01

    def end_subscription(call: Call) -> Answer:
        m365.tenant.subscriptions.pop(one.id, None)
        return Answer(503)

    hook.answer = end_subscription
    notify(m365, anna)
    wait_until_delivered(m365)

    assert len(hook.calls) == 1


@pytest.mark.usefixtures("one")
def test_lost_and_doubled_notifications(m365: Cloud, hook: Webhook, anna: User):
    """`notificationsLost` drops items, `notificationsDoubled` sends them twice."""
    m365.tenant.switches.notifications_lost = 1.0
    notify(m365, anna)
    m365.tenant.switches.notifications_lost = 0.0
    m365.tenant.switches.notifications_doubled = 1.0
    notify(m365, anna)
    hook.wait_for(lambda: len(hook.items) == 2)

    assert hook.items[0] == hook.items[1]
    assert [e.get("fault") for e in deliveries(m365)][0] == "lost"


@pytest.mark.usefixtures("one")
def test_post_with_foreign_items(m365: Cloud, hook: Webhook, anna: User):
    """Items of other tenants and subscriptions, and unsigned ones, are added."""
    m365.tenant.switches.notification_foreign = True

    notify(m365, anna)
    hook.wait_for(lambda: hook.items)

    own = [i for i in hook.items if (i["tenantId"], i.get("clientState")) == (TENANT_ID, "secret")]
    assert (len(hook.items), len(own)) == (4, 1)


def test_lifecycle_items_have_five_fields(m365: Cloud, hook: Webhook, one: Subscription):
    """The control API sends them; they have neither changeType nor resource."""
    events = {"reauthorizationRequired", "subscriptionRemoved"}
    for event in sorted(events):
        m365.sim("POST", "/lifecycle", {"event": event})
    hook.wait_for(lambda: len(hook.items) == 2)

    assert {item["lifecycleEvent"] for item in hook.items} == events
    names = "subscriptionId subscriptionExpirationDateTime tenantId clientState lifecycleEvent"
    assert set(hook.items[0]) == set(names.split())
    assert one.id not in m365.tenant.subscriptions


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        ([0.1] * 20, delivery_pace.PROMPT),
        ([0.1] * 18 + [3.0] * 2, delivery_pace.PROMPT),
        ([0.1] * 17 + [3.0] * 3, delivery_pace.DELAYED),
        ([0.1] * 17 + [10.0] * 3, delivery_pace.DELAYED),
        ([0.1] * 16 + [10.0] * 4, delivery_pace.DROPPED),
    ],
)
def test_slow_endpoints_are_delayed_then_dropped(seconds: list[float], verdict: str):
    """More than 10 % over 3 s are delayed, more than 15 % over 10 s dropped, for ten minutes."""
    pace = delivery_pace.Pace()
    for each in seconds:
        pace.answered(NOON, each)

    assert pace.verdict(NOON) == verdict
    assert pace.verdict(NOON + timedelta(minutes=10)) == delivery_pace.PROMPT
