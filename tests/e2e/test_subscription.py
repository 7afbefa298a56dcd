"""The subscription, from timer or event to Graph and back to the webhook, in the running cloud."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from shared.subscription.keeper import LIFE
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.subscribed import Subscribed


@pytest.fixture
def it(cloud: LiveCloud) -> Iterator[Subscribed]:
    """A live subscription that PhotoSync has created and recorded, before and after the test."""
    it = Subscribed(cloud)
    it.renew()
    it.becomes_live()
    yield it
    cloud.admin.control("DELETE", "/faults")
    it.renew()
    it.becomes_live()


def test_renewed_in_place(it: Subscribed):
    """A subscription that expires in three days is renewed: the same one, for four weeks."""
    before, now = it.id, datetime.now(UTC)
    soon = (now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    it.graph("PATCH", before, expirationDateTime=soon)

    it.renew()

    (one,) = it.cloud.subscriptions()
    assert one["id"] == before
    left = datetime.fromisoformat(one["expirationDateTime"]) - now
    assert left > LIFE - timedelta(minutes=1)


def test_lost_answer(it: Subscribed):
    """A subscription whose creation was not answered is found, and replaced by a recorded one."""
    it.graph("DELETE", it.id)
    it.cloud.fault(
        service="graph", method="POST", path="/subscriptions$", next=1, fault="lost-answer"
    )

    it.renew()
    it.becomes_live()

    assert it.works()


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("slow", "timed out"),
        # As the platform answers for an app that restarts.
        ("503", "HTTP status code is"),
        ("403", "HTTP status code is"),
    ],
)
def test_failed_handshake_is_tried_again(it: Subscribed, trouble: str, words: str):
    """If Graph refuses the webhook's answer, PhotoSync soon asks Graph again."""
    it.graph("DELETE", it.id)
    if trouble == "slow":
        it.cloud.switch(handshakeBudgetSeconds=0.0)
    else:
        it.cloud.fault(service="webhook", fault=trouble, next=1_000)
    it.renew()
    assert it.memory["status"] == "waiting"
    assert words in it.memory["detail"]
    it.cloud.switch(handshakeBudgetSeconds=10.0)
    it.cloud.admin.control("DELETE", "/faults")

    it.becomes_live()


def test_asked_to_reauthorize(it: Subscribed):
    """`reauthorizationRequired` renews, unless the last renewal is less than ten minutes old."""
    before = it.id
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    it.remember(renewedAt=hour_ago)
    since = it.cloud.last_entry()

    it.event("reauthorizationRequired")
    it.cloud.wait_for(lambda: it.memory["renewedAt"] > hour_ago)
    assert (it.id, it.asked("PATCH", since)) == (before, 1)

    it.becomes_live()
    since, fresh = it.cloud.last_entry(), it.cloud.logged("subscription.fresh")
    it.event("reauthorizationRequired")
    it.cloud.wait_for(lambda: it.cloud.logged("subscription.fresh") > fresh)
    assert (it.id, it.asked("GET", since), it.asked("PATCH", since)) == (before, 0, 0)


def test_forged_events(it: Subscribed):
    """Events about another subscription cause no call and no sweep, however many they are."""
    since, sweeps = it.cloud.last_entry(), it.sweeps()
    before = it.cloud.logged("subscription.foreign")
    forged = [
        {
            "subscriptionId": str(uuid.uuid4()),
            "tenantId": it.cloud.at.tenant_id,
            "clientState": it.cloud.at.client_state,
            "lifecycleEvent": event,
        }
        for event in ("missed", "subscriptionRemoved", "reauthorizationRequired")
    ]
    assert it.cloud.notify([each for each in forged for _ in range(50)]).status_code == 202
    it.cloud.wait_for(lambda: it.cloud.logged("subscription.foreign") == before + 3)

    assert [it.asked(each, since) for each in ("GET", "POST", "DELETE", "PATCH")] == [0] * 4
    assert it.sweeps() == sweeps


def test_removed_by_graph(it: Subscribed):
    """`subscriptionRemoved` creates a new one, and a sweep finds what changed in the meantime."""
    before = it.id
    user_id, upn = it.cloud.add()
    it.cloud.switch(photoOnlyNotifies=False)
    it.cloud.admin.put_photo(user_id, picture(4), "image/jpeg")

    it.event("subscriptionRemoved")

    it.becomes_live()
    assert it.id != before
    it.cloud.wait_for(lambda: it.cloud.shows(upn, picture(4)))


def test_missed_notifications(it: Subscribed):
    """`missed` starts a sweep, if the last one began more than ten minutes ago."""
    it.let_time_pass()
    user_id, upn = it.cloud.add()
    it.cloud.switch(photoOnlyNotifies=False)
    it.cloud.admin.put_photo(user_id, picture(5), "image/jpeg")

    it.event("missed")

    it.cloud.wait_for(lambda: it.cloud.shows(upn, picture(5)))
