"""What Graph lists or leaves out, events, and instances that work at the same moment."""

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
from shared.subscription.keeper import APART, AT_WORK, LIFE
from tests.shared.subscription.deployment import URL, Deployment, neighbour

Listing = Callable[[list[Subscription]], list[Subscription]]
SECOND = timedelta(seconds=1)


def showing(**hidden: Any) -> Listing:
    return lambda all_: [replace(one, **hidden) for one in all_]


LISTINGS: dict[str, Listing] = {
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


@pytest.fixture
def here() -> Deployment:
    deployment = Deployment()
    deployment.keep()
    deployment.sweeps = 0
    return deployment


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_what_a_listing_hides_does_not_matter(here, listing):
    """Whatever of it is shown, the subscription stays, and is renewed only when it is time."""
    before = here.only
    here.graph.shows = listing

    assert here.keep() == before
    here.clock.advance(LIFE / 2 + SECOND)
    assert here.keep().id == before.id
    assert here.only.expires_at == here.clock() + LIFE
    assert here.sweeps == 0


@pytest.mark.parametrize("listing", [*LISTINGS.values(), lambda all_: []], ids=[*LISTINGS, "none"])
def test_lost_memory_and_a_listing_that_hides(here, listing):
    """Without memory the one in the way is found by its id, and made anew."""
    here.forget()
    here.graph.shows = listing

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_empty_list_is_not_believed(here):
    """One that no list shows is found by its id: it is kept, renewed in time, and never doubled."""
    before = here.only
    here.graph.shows = lambda all_: []
    here.graph.at_create.append(lambda: pytest.fail("Another one was asked for."))

    assert here.keep() == before
    here.clock.advance(LIFE / 2 + SECOND)
    assert here.keep().id == before.id
    assert here.only.expires_at == here.clock() + LIFE
    assert here.sweeps == 0


def test_one_that_is_in_no_list_and_gone(here):
    """Where its id is not known either, it is made anew."""
    here.graph.live.clear()
    here.graph.shows = lambda all_: []

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_no_answer_about_the_remembered_one(here):
    """Whether it lives is not known then: none is made, and the state says what is in the way."""
    before = here.only
    here.graph.shows = lambda all_: []

    def down(id_: str) -> None:
        raise ServiceDown("graph answered 500.", service="graph")

    here.graph.find = down
    with pytest.raises(ServiceDown):
        here.keeper.keep()

    assert here.only == before
    assert here.memory["status"] == "waiting"


def test_neighbour_that_no_list_shows(here):
    """Another deployment's subscription in the way is not deleted for being left out of a list."""
    other = neighbour(here)
    here.graph.shows = lambda all_: []

    with pytest.raises(Refused, match=r"points at photosync\.contoso\.com"):
        other.keeper.keep()

    assert here.works


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS)
def test_new_key_and_a_listing_that_hides(here, listing):
    """A new key reaches Graph also when no listing shows the old one."""
    here.graph.shows = listing
    here.url = URL.replace("first-key", "second-key")

    here.keep()

    assert here.works


def test_other_kinds_of_change(here):
    """One that tells less than we want, as an older version may have made it, is replaced."""
    here.graph.live[here.only.id] = replace(here.only, changes=frozenset({"updated"}))

    here.keep()

    assert here.works


def test_deleted_one_lingers_in_the_listing(here):
    """One that was deleted and is still in the way for a moment is waited for."""
    here.forget()
    here.graph.delete = lambda id_: None

    with pytest.raises(ServiceDown, match="Another process is creating a subscription"):
        here.keeper.keep()

    assert here.memory["status"] == "waiting"


# Lifecycle events


def test_reauthorized_when_asked_to(here):
    """A reauthorization renews one that has all its life left."""
    here.clock.advance(APART)

    here.keeper.keep(reauthorize=True)

    assert here.only.expires_at == here.clock() + LIFE


def test_not_reauthorized_twice_in_ten_minutes(here):
    """An event that comes again right after a renewal changes nothing."""
    here.clock.advance(APART - SECOND)
    before = here.only

    here.keeper.keep(reauthorize=True)

    assert here.only == before


def test_removed_one_is_made_anew_although_listed(here):
    """What Graph says is removed is not believed to live because a listing still shows it."""
    removed = here.only.id

    here.keeper.keep(removed=removed)

    assert here.works
    assert here.only.id != removed
    assert here.sweeps == 1


def test_late_news_of_an_older_one(here):
    """An event about one that was replaced long ago changes nothing."""
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


def test_one_that_is_recorded_too_late_is_deleted_by_its_maker():
    """Who finds another run's subscription recorded takes its own back: no list may show it."""
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

    with pytest.raises(ClaimLost):
        here.keeper.keep()

    assert here.works
    assert here.memory["id"] == here.only.id


def test_own_subscription_in_the_way_is_deleted_again(here):
    """Graph still reports the one that this run has just deleted."""
    delete, here.state = here.graph.delete, "second-state"

    def ignored(id_: str) -> None:
        here.graph.delete = delete

    here.graph.delete = ignored

    here.keep()

    assert here.works


def test_two_instances_renew_at_once(here):
    """Two instances that renew at once keep the subscription, without a gap."""
    before = here.only.id
    here.clock.advance(LIFE / 2 + SECOND)
    late = here.keeper
    nothing = here.documents.after_read

    def meanwhile() -> None:
        here.documents.after_read = nothing
        here.keeper.keep()

    here.documents.after_read = meanwhile

    with pytest.raises(Conflict):
        late.keep()

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
    """After any history, two runs later exactly one subscription is there, and it works."""
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
