"""Change notifications: what they hold, when they are tried again, what a switch does to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from local.m365.notifications import items
from local.m365.notifications import pace as delivery_pace
from local.m365.tenant.records import Subscription, User
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud
from tests.local.m365.webhook import Answer, Call, Webhook, webhook

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def hook(m365: Cloud) -> Iterator[Webhook]:
    with webhook(m365.certificates) as running:
        yield running


def subscribe(m365: Cloud, hook: Webhook, changes: str = "updated,deleted") -> Subscription:
    """A subscription without the handshake, which has tests of its own."""
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


def notify(m365: Cloud, user: User, **more: Any) -> None:
    """Raise a change on the simulator's own loop, as every change is."""
    body = {"user": user.id, **more}
    answer = requests.post(f"{m365.tenant.urls.control}/_sim/notify", json=body, timeout=10)
    assert answer.status_code == 200


def deliveries(m365: Cloud) -> list[dict[str, Any]]:
    return [entry for entry in m365.tenant.journal.after(0) if entry["service"] == "delivery"]


def test_an_item_has_the_documented_shape(m365: Cloud, hook: Webhook):
    """Every field of a users item, and no other."""
    user, one = m365.add_user("anna"), subscribe(m365, hook)

    notify(m365, user)
    hook.wait_for(lambda: hook.items)

    (item,) = hook.items
    data = item.pop("resourceData")
    assert item == {
        "changeType": "updated",
        "clientState": "secret",
        "resource": f"Users/{user.id}",
        "subscriptionId": one.id,
        "tenantId": TENANT_ID,
        "subscriptionExpirationDateTime": one.expires.strftime("%Y-%m-%dT%H:%M:%S.%f0+00:00"),
    }
    assert set(data) == {
        "@odata.type",
        "@odata.id",
        "id",
        "organizationId",
        "eventTime",
        "sequenceNumber",
    }
    assert (data["@odata.type"], data["id"]) == ("#Microsoft.Graph.User", user.id)
    assert hook.calls[0].raw_query == "code=key"
    assert hook.calls[0].content_type.startswith("application/json")


def test_sequence_numbers_count_ticks():
    """100 ns since the year one, as in the documented example."""
    moment = datetime(2022, 5, 24, 22, 24, 31, 306290, tzinfo=UTC)
    assert items.ticks(moment) == 637890278713062900


def test_a_photo_upload_notifies(m365: Cloud, hook: Webhook):
    """With `photoOnlyNotifies` a removed photo raises `updated`; without, nothing."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    control = f"{m365.tenant.urls.control}/_sim"
    change = {"photo": None, "notify": True}
    for wanted in (False, True):
        m365.tenant.switches.photo_only_notifies = wanted
        requests.patch(f"{control}/users/{user.id}", json=change, timeout=10)

    hook.wait_for(lambda: hook.items)
    assert [item["changeType"] for item in hook.items] == ["updated"]


def test_changes_that_were_not_asked_for_stay_quiet(m365: Cloud, hook: Webhook):
    """A subscription on `deleted` hears of nothing else."""
    user = m365.add_user("anna")
    subscribe(m365, hook, "deleted")

    notify(m365, user, change="updated")
    notify(m365, user, change="deleted")
    hook.wait_for(lambda: hook.items)

    assert [item["changeType"] for item in hook.items] == ["deleted"]


def test_items_travel_together(m365: Cloud, hook: Webhook):
    """Items of one moment share a POST, up to the batch size."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.notification_batch = 3

    notify(m365, user, times=7)
    hook.wait_for(lambda: len(hook.items) == 7)

    assert sorted(len(call.items) for call in hook.calls) == [1, 3, 3]


def test_a_refused_delivery_is_tried_again(m365: Cloud, hook: Webhook):
    """Anything but 2xx comes again, with the same body, until it is taken."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.backoff_seconds = 0.01
    hook.answer = lambda call: Answer(503 if len(hook.calls) < 3 else 202)

    notify(m365, user)
    hook.wait_for(lambda: len(hook.calls) == 3)

    assert len({call.body for call in hook.calls}) == 1


def test_the_journal_has_every_attempt(m365: Cloud, hook: Webhook):
    """Each attempt is an entry with user, status and number; the key is not in it."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.backoff_seconds = 0.01
    hook.answer = lambda call: Answer(500 if len(hook.calls) < 2 else 202)

    notify(m365, user)
    # A third call proves that the second one's entry is written.
    hook.wait_for(lambda: len(hook.calls) == 2)
    notify(m365, user)
    hook.wait_for(lambda: len(hook.calls) == 3 and len(deliveries(m365)) >= 2)

    first, second, *_ = deliveries(m365)
    assert [(e["status"], e["attempt"], e["userId"]) for e in (first, second)] == [
        (500, 1, user.id),
        (202, 2, user.id),
    ]
    assert first["post"] == second["post"]
    assert "code=key" not in str(first)


def test_a_slow_answer_counts_as_none(m365: Cloud, hook: Webhook):
    """An answer after the budget is not heard, and the item comes again."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.first_budget_seconds = 0.1
    m365.tenant.switches.backoff_seconds = 0.01
    enough = threading.Event()

    def late(call: Call) -> Answer:
        if len(hook.calls) < 2:
            enough.wait(5)
        return Answer(202)

    hook.answer = late
    notify(m365, user)
    hook.wait_for(lambda: len(hook.calls) == 2)
    enough.set()

    assert deliveries(m365)[0]["status"] == 0


def test_deliveries_end_with_the_subscription(m365: Cloud, hook: Webhook):
    """What is still refused when the subscription goes is not tried again."""
    user, one = m365.add_user("anna"), subscribe(m365, hook)
    m365.tenant.switches.backoff_seconds = 0.01

    def farewell(call: Call) -> Answer:
        m365.tenant.subscriptions.pop(one.id, None)
        return Answer(503)

    hook.answer = farewell
    notify(m365, user)
    hook.wait_for(lambda: len(hook.calls) == 1)
    other = subscribe(m365, hook)
    notify(m365, user)
    # Four attempts of another subscription take longer than a second one of the first would.
    hook.wait_for(lambda: len(hook.calls) == 5)

    assert [item["subscriptionId"] for item in hook.items] == [one.id] + 4 * [other.id]


def test_lost_and_doubled_notifications(m365: Cloud, hook: Webhook):
    """`notificationsLost` keeps items back, `notificationsDoubled` sends them twice."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.notifications_lost = 1.0
    notify(m365, user)
    m365.tenant.switches.notifications_lost = 0.0
    m365.tenant.switches.notifications_doubled = 1.0
    notify(m365, user)
    hook.wait_for(lambda: len(hook.items) == 2)

    assert hook.items[0] == hook.items[1]
    assert [e.get("fault") for e in deliveries(m365)][0] == "lost"


def test_a_post_may_hold_items_of_others(m365: Cloud, hook: Webhook):
    """Foreign tenants, foreign subscriptions and unsigned items are mixed in."""
    user = m365.add_user("anna")
    subscribe(m365, hook)
    m365.tenant.switches.notification_foreign = True

    notify(m365, user)
    hook.wait_for(lambda: hook.items)

    own = [i for i in hook.items if (i["tenantId"], i.get("clientState")) == (TENANT_ID, "secret")]
    assert (len(hook.items), len(own)) == (4, 1)


def test_lifecycle_items_have_five_fields(m365: Cloud, hook: Webhook):
    """Control sends them; they have neither changeType nor resource."""
    one = subscribe(m365, hook)
    url = f"{m365.tenant.urls.control}/_sim/lifecycle"
    requests.post(url, json={"event": "reauthorizationRequired"}, timeout=10)
    requests.post(url, json={"event": "subscriptionRemoved"}, timeout=10)
    hook.wait_for(lambda: len(hook.items) == 2)

    assert {item["lifecycleEvent"] for item in hook.items} == {
        "reauthorizationRequired",
        "subscriptionRemoved",
    }
    assert set(hook.items[0]) == {
        "subscriptionId",
        "subscriptionExpirationDateTime",
        "tenantId",
        "clientState",
        "lifecycleEvent",
    }
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
    """More than 10 % over 3 s delays, more than 15 % over 10 s drops, for ten minutes."""
    pace = delivery_pace.Pace()
    for each in seconds:
        pace.answered(NOON, each)

    assert pace.verdict(NOON) == verdict
    assert pace.verdict(NOON + timedelta(minutes=10)) == delivery_pace.PROMPT
