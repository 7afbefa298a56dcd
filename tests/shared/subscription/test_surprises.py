"""What Graph's list hides, lifecycle events, and instances that work at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ClaimLost, Conflict, Refused, ServiceDown, TryLater
from shared.graph.subscriptions import Subscription
from tests.doubles.office import failing
from tests.shared.subscription.deployment import APART, AT_WORK, LIFE, URL, Deployment, neighbour

Listing = Callable[[list[Subscription]], list[Subscription]]
SECOND = timedelta(seconds=1)


def showing(**hidden: Any) -> Listing:
    return lambda all_: [replace(one, **hidden) for one in all_]


def nothing(all_: list[Subscription]) -> list[Subscription]:
    return []


LISTINGS: dict[str, Listing] = {
    "everything": list,
    "no query": showing(notification_url=URL.partition("?")[0]),
    "no address": showing(notification_url=""),
    "capitals": showing(notification_url=URL.replace("photosync", "PhotoSync")),
    "no lifecycle address": showing(lifecycle_url=""),
    "no changes": showing(changes=frozenset()),
    "another resource": showing(resource="v1.0/users"),
    "nothing but the id": showing(
        notification_url="", lifecycle_url="", changes=frozenset(), resource=""
    ),
}


@pytest.mark.parametrize("listing", [*LISTINGS.values(), nothing], ids=[*LISTINGS, "none"])
def test_what_a_listing_hides_does_not_matter(here, listing):
    """Whatever the list shows, the subscription is kept, renewed in time and never doubled."""
    before = here.only
    here.graph.shows = listing
    here.graph.at_create.append(lambda: pytest.fail("Another one was created."))
    here.clock.advance(SECOND)

    assert here.keep() == before
    here.clock.advance(LIFE / 2 + SECOND)
    assert here.keep().id == before.id
    assert here.only.expires_at == here.clock() + LIFE
    assert here.sweeps == 0


@pytest.mark.parametrize("listing", [*LISTINGS.values(), nothing], ids=[*LISTINGS, "none"])
def test_lost_memory(here, listing):
    """Without the blob the existing subscription is replaced, and a sweep follows."""
    here.forget()
    here.graph.shows = listing

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_no_answer_about_the_remembered_one(here):
    """If Graph gives no answer, none is created, and the blob says why."""
    before = here.only
    here.graph.shows = nothing
    here.graph.find = failing(ServiceDown("graph answered 500.", service="graph"))
    with pytest.raises(ServiceDown):
        here.keeper.keep()

    assert here.only == before
    assert here.memory["status"] == "waiting"


@pytest.mark.parametrize(
    ("listing", "host"),
    [
        (list, "photosync.contoso.com"),
        (nothing, "photosync.contoso.com"),
        (showing(notification_url="EventHub:https://vault.contoso.com"), "another address"),
    ],
    ids=["listed", "not listed", "no web address"],
)
def test_two_deployments_with_one_registration(here, listing, host):
    """The second learns which host has the subscription, and does not delete it."""
    before = here.only
    other = neighbour(here)
    here.graph.shows = listing

    why = (
        f"^This app registration has a subscription for users that points at {host}. "
        "Delete it, or give each deployment its own app registration.$"
    )
    with pytest.raises(Refused, match=why):
        other.keeper.keep()

    assert here.only == before
    assert here.works
    assert other.memory["status"] == "failed"


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
@pytest.mark.parametrize("old", ["first-key", "photosync.contoso.com"])
def test_new_address(here, listing, old):
    """A new key or host reaches Graph at once, without a gap, even if no list shows the old one."""
    before = here.only.id
    here.graph.shows = listing
    here.url = URL.replace(old, "new")

    assert here.keep().id == before
    assert here.works
    assert here.sweeps == 0


def test_other_kinds_of_change(here):
    """One that reports fewer changes, perhaps from an older version, is replaced."""
    here.graph.live[here.only.id] = replace(here.only, changes=frozenset({"updated"}))

    here.keep()

    assert here.works


def test_deleted_one_still_exists(here):
    """If a deleted subscription still blocks the new one, the run waits."""
    here.forget()
    here.graph.delete = lambda id_: None

    with pytest.raises(ServiceDown) as caught:
        here.keeper.keep()

    assert str(caught.value).startswith("Another process is creating a subscription, too. ")
    assert caught.value.service == "graph"
    assert here.memory["status"] == "waiting"


# Lifecycle events


@pytest.mark.parametrize(("since", "renewed"), [(APART, "renewed"), (APART - SECOND, "")])
def test_reauthorization(here, caplog, since, renewed):
    """It renews even a subscription with all its life left, but not twice in ten minutes."""
    before = here.only
    here.clock.advance(since)
    with caplog.at_level("INFO", "photosync"):
        here.keeper.keep(reauthorize=True)

    assert here.only.expires_at == (here.clock() + LIFE if renewed else before.expires_at)
    assert [each.split()[0] for each in caplog.messages] == [f"subscription.{renewed or 'fresh'}"]


def test_removed_one_is_replaced_although_listed(here):
    """If Graph says that it was removed, a listing that still shows it does not count."""
    removed = here.only.id

    here.keeper.keep(removed=removed)

    assert here.works
    assert here.only.id != removed
    assert here.sweeps == 1


def test_late_event_of_an_older_one(here):
    """An event about a subscription that was replaced long ago changes nothing."""
    before = here.only

    here.keeper.keep(removed="an-older-one")

    assert here.only == before
    assert here.sweeps == 0


# At the same moment


def test_two_instances_create_at_once():
    """Two instances that subscribe at once end with one subscription, known to both."""
    here = Deployment()
    here.graph.at_create.append(here.keeper.keep)

    with pytest.raises(Conflict):
        here.keeper.keep()
    # The message of the one that lost comes back.
    here.keep()

    assert here.works
    assert here.memory["id"] == here.only.id


def test_one_that_is_recorded_too_late_is_deleted():
    """A run that finds another run's subscription recorded deletes its own: no list may show it."""
    here: Any = Deployment()
    here.graph.shows = lambda all_: []

    def allowed(*asked: Any) -> Subscription:
        here.graph.create = here.graph.make
        here.clock.advance(AT_WORK + SECOND)
        here.keeper.keep()
        made: Subscription = here.graph.make(*asked)
        return made

    here.graph.create = allowed

    with pytest.raises(ClaimLost):
        here.keeper.keep()

    assert here.memory["id"] == here.only.id


def test_late_run_leaves_the_subscription_of_the_run_that_took_over():
    """It finds that subscription in its way, points here too, but did not create it."""
    here = Deployment()

    def freeze() -> None:
        here.clock.advance(AT_WORK + SECOND)
        here.keeper.keep()

    here.graph.at_create.append(freeze)

    with pytest.raises(ClaimLost, match=r"^Another run has taken over the subscription\.$"):
        here.keeper.keep()

    assert here.works
    assert here.memory["id"] == here.only.id


def test_late_renewal_leaves_the_subscription(here):
    """A run that renewed, and finds another run's record, deletes nothing."""
    renew = here.graph.renew
    here.clock.advance(APART)

    def freeze(*asked: Any) -> Subscription:
        here.graph.renew = renew
        here.clock.advance(AT_WORK)
        here.keeper.keep(reauthorize=True)
        renewed: Subscription = renew(*asked)
        return renewed

    here.graph.renew = freeze
    with pytest.raises(ClaimLost):
        here.keeper.keep(reauthorize=True)

    assert here.works


@pytest.mark.parametrize("url", [URL, "https://moved.contoso.com/api/notifications?code=k"])
@pytest.mark.parametrize("found", [True, False])
def test_own_subscription_in_the_way_is_deleted_again(here, url, found):
    """
    A new clientState needs a new subscription, and a sweep for what was refused meanwhile. Graph
    still reports the one that this run has just deleted, with or without an address.
    """
    delete, here.state, here.url = here.graph.delete, "second-state", url
    if not found:
        here.graph.find = lambda id_: None

    def ignored(id_: str) -> None:
        here.graph.delete = delete

    here.graph.delete = ignored

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_two_instances_renew_at_once(here):
    """Two instances that renew at once keep the subscription, without a gap."""
    before = here.only.id
    here.clock.advance(LIFE / 2 + SECOND)
    here.documents.at_read.append(here.keeper.keep)

    with pytest.raises(Conflict):
        here.keeper.keep()

    assert here.keep().id == before
    assert here.works
    assert here.sweeps == 0


def changed(here: Deployment, **settings: str) -> None:
    here.url = settings.get("url", here.url)
    here.state = settings.get("state", here.state)


STEPS: dict[str, Callable[[Deployment], None]] = {
    "nothing": lambda here: None,
    "both at once": lambda here: here.graph.at_create.append(here.keeper.keep),
    "new key": lambda here: changed(here, url=f"{here.url}x"),
    "new state": lambda here: changed(here, state=f"{here.state}x"),
    "memory lost": lambda here: here.documents.blobs.clear(),
    "expired": lambda here: here.clock.advance(LIFE + SECOND),
    "half expired": lambda here: here.clock.advance(LIFE / 2 + SECOND),
    "lost by Graph": lambda here: here.graph.live.clear(),
}


@given(st.lists(st.sampled_from([*STEPS]), max_size=12), st.sampled_from([*LISTINGS]))
def test_whatever_happened_one_works_in_the_end(steps, listing):
    """After any history, two runs later exactly one subscription exists, and it works."""
    here = Deployment()
    here.graph.shows = LISTINGS[listing]
    for step in steps:
        STEPS[step](here)
        with suppress(TryLater):
            here.keeper.keep()
    here.graph.at_create.clear()
    with suppress(TryLater):
        here.keeper.keep()
    here.keeper.keep()

    assert here.works
    assert here.memory["id"] == here.only.id
