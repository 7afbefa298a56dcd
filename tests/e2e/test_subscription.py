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
    """A subscription that PhotoSync has made and knows, before each test and after it."""
    it = Subscribed(cloud)
    it.renew()
    it.becomes_live()
    yield it
    cloud.admin.control("DELETE", "/faults")
    it.renew()
    it.becomes_live()


def test_subscription_brings_changes(it):
    """With the subscription that PhotoSync made for itself, a new photo reaches SharePoint."""
    user_id, upn = it.cloud.add()

    it.cloud.admin.put_photo(user_id, picture(3), "image/jpeg")

    it.cloud.wait_for(lambda: it.cloud.shows(upn, picture(3)))


def test_left_alone_while_it_lives(it):
    """A timer that fires again changes nothing at Graph."""
    before, since = it.all(), it.now()

    it.renew()

    assert it.all() == before
    assert it.asked("PATCH", since) + it.asked("POST", since) == 0


def test_renewed_in_place(it):
    """One with little life left is renewed: the same one, for four weeks."""
    before, now = it.id, datetime.now(UTC)
    soon = (now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    it.graph("PATCH", before, expirationDateTime=soon)

    it.renew()

    (one,) = it.all()
    assert one["id"] == before
    left = datetime.fromisoformat(one["expirationDateTime"]) - now
    assert left > LIFE - timedelta(minutes=1)


def test_address_is_corrected(it):
    """One that points here with another key gets the right one, without a gap."""
    before = it.id
    other = it.cloud.webhook.replace(it.cloud.at.key, it.cloud.at.master_key)
    it.graph("PATCH", before, notificationUrl=other)
    assert not it.works()

    it.renew()

    assert it.works()
    assert it.id == before


@pytest.mark.parametrize("memory", [{"id": "another"}, {"clientStateHash": "another"}])
def test_unknown_one_is_made_anew(it, memory):
    """One whose clientState nobody knows any more is replaced, and a sweep follows."""
    before, sweeps = it.id, it.sweeps()
    it.remember(**memory)

    it.renew()

    assert it.works()
    assert it.id != before
    it.cloud.wait_for(lambda: it.sweeps() != sweeps)


def test_gone_when_it_is_renewed(it):
    """A 404 for a renewal means a new one, also while the old one is still listed."""
    before = it.id
    it.remember(urlHash="another")
    other = it.cloud.webhook.replace(it.cloud.at.key, it.cloud.at.master_key)
    it.graph("PATCH", before, notificationUrl=other)
    it.cloud.fault(service="graph", method="PATCH", path="/subscriptions/", next=1, fault="404")

    it.renew()

    assert it.works()
    assert it.id != before


def test_lost_answer(it):
    """One that Graph made, and nobody heard of, is found and replaced by one that is known."""
    it.graph("DELETE", it.id)
    it.cloud.fault(
        service="graph", method="POST", path="/subscriptions$", next=1, fault="lost-answer"
    )

    it.renew()
    it.becomes_live()

    assert it.works()


def test_strays_are_deleted(it):
    """A second one that points here is deleted."""
    it.make(it.cloud.webhook, "updated", "stray")
    assert len(it.all()) == 2

    it.renew()

    assert it.works()


def test_another_deployment_is_left_alone(it):
    """Where another deployment uses the registration, a person reads whose it is."""
    it.graph("DELETE", it.id)
    it.make(it.cloud.webhook.replace("localhost", "127.0.0.1"), "updated,deleted", "other")
    elsewhere = it.id

    it.renew()

    assert it.memory["status"] == "failed"
    assert "points at 127.0.0.1" in it.memory["detail"]
    assert it.id == elsewhere
    it.graph("DELETE", elsewhere)


def test_slow_handshake_is_tried_again(it):
    """A webhook that Graph found too slow is tried again until it is quick enough."""
    it.graph("DELETE", it.id)
    it.cloud.switch(handshakeBudgetSeconds=0.0)
    it.renew()
    assert it.memory["status"] == "waiting"
    assert "timed out" in it.memory["detail"]

    it.cloud.switch(handshakeBudgetSeconds=10.0)

    it.becomes_live()


@pytest.mark.parametrize("status", ["502", "503", "403"])
def test_handshake_while_the_app_restarts(it, status):
    """What stands before an app that restarts answers for it; Graph is asked again soon."""
    it.graph("DELETE", it.id)
    it.cloud.fault(service="webhook", fault=status, next=2)
    it.renew()
    assert it.memory["status"] == "waiting"
    assert "HTTP status code is" in it.memory["detail"]

    it.becomes_live()


@pytest.mark.parametrize("listed", ["none", "empty"])
def test_list_that_leaves_it_out(it, listed):
    """One that Graph's list leaves out is found, and no second one is made."""
    before, since = it.all(), it.now()
    it.cloud.switch(subscriptionsListed=listed)

    it.renew()

    assert it.all() == before
    assert it.asked("POST", since) + it.asked("DELETE", since) == 0


def test_asked_to_reauthorize(it):
    """`reauthorizationRequired` renews it, unless that was done within ten minutes."""
    before = it.id
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    it.remember(renewedAt=hour_ago)
    since = it.now()

    it.event("reauthorizationRequired")
    it.cloud.wait_for(lambda: it.memory["renewedAt"] > hour_ago)
    assert (it.id, it.asked("PATCH", since)) == (before, 1)

    it.becomes_live()
    since, fresh = it.now(), it.cloud.logged("subscription.fresh")
    it.event("reauthorizationRequired")
    it.cloud.wait_for(lambda: it.cloud.logged("subscription.fresh") > fresh)
    assert (it.id, it.asked("GET", since), it.asked("PATCH", since)) == (before, 0, 0)


def test_forged_events(it):
    """Events about another subscription, however many, call nobody and begin no sweep."""
    since, sweeps, before = it.now(), it.sweeps(), it.cloud.logged("subscription.foreign")
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


def test_removed_by_graph(it):
    """`subscriptionRemoved` makes a new one, and a sweep finds what was changed meanwhile."""
    before = it.id
    user_id, upn = it.cloud.add()
    it.cloud.switch(photoOnlyNotifies=False)
    it.cloud.admin.put_photo(user_id, picture(4), "image/jpeg")

    it.event("subscriptionRemoved")

    it.becomes_live()
    assert it.id != before
    it.cloud.wait_for(lambda: it.cloud.shows(upn, picture(4)))


def test_missed_notifications(it):
    """`missed` starts a sweep, ten minutes after the last one began."""
    it.let_time_pass()
    user_id, upn = it.cloud.add()
    it.cloud.switch(photoOnlyNotifies=False)
    it.cloud.admin.put_photo(user_id, picture(5), "image/jpeg")

    it.event("missed")

    it.cloud.wait_for(lambda: it.cloud.shows(upn, picture(5)))
