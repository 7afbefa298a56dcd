"""One live subscription that points here, whatever was there before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import Refused
from shared.subscription.keeper import LIFE
from tests.shared.subscription.deployment import STATE, URL, Deployment, neighbour

NEW_KEY = URL.replace("first-key", "second-key")
MINUTE = timedelta(minutes=1)


@pytest.fixture
def here() -> Deployment:
    """A deployment that has subscribed."""
    deployment = Deployment()
    deployment.keep()
    deployment.sweeps = 0
    return deployment


# Created


def test_created_when_there_is_none():
    """The first run subscribes for as long as Graph allows, and asks for a sweep."""
    here = Deployment()

    here.keep()

    assert here.works
    assert LIFE == here.only.expires_at - here.clock() <= timedelta(minutes=41_760)
    assert here.sweeps == 1
    assert here.warmed == [URL]


def test_lifecycle_items_come_to_the_same_address():
    """Graph sends lifecycle items to the webhook, too."""
    assert Deployment().keep().lifecycle_url == URL


@pytest.mark.parametrize("left", [LIFE / 2 + MINUTE, LIFE - MINUTE])
def test_kept_while_it_has_life(here, left):
    """One with half of its life or more is left alone; no sweep is needed."""
    before = here.only
    here.clock.advance(LIFE - left)

    assert here.keep() == before
    assert here.sweeps == 0


def test_renewed_in_the_second_half_of_its_life(here):
    """One with less than half of its life left gets a whole one, without a gap."""
    before = here.only
    here.clock.advance(LIFE / 2 + MINUTE)

    after = here.keep()

    assert (after.id, after.expires_at) == (before.id, here.clock() + LIFE)
    assert here.sweeps == 0


def test_expired(here):
    """An expired one is replaced, whether Graph still lists it or not, and a sweep follows."""
    here.clock.advance(LIFE + MINUTE)

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_expired_and_renewable(here):
    """An expired one is not revived, though Graph might: nobody would sweep what it missed."""
    here.graph.live[here.only.id] = replace(here.only, expires_at=here.clock() - MINUTE)
    here.graph.revives = True

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_gone_although_listed(here):
    """One that Graph lists and does not know when it is renewed is made anew."""
    ghost = here.only
    del here.graph.live[ghost.id]
    here.graph.shows = lambda all_: [*all_, ghost]
    here.clock.advance(LIFE / 2 + MINUTE)

    here.keep()

    assert here.works
    assert here.sweeps == 1


# Changed settings


def test_key_rotated(here):
    """A new key is told to Graph at once, without a gap."""
    before = here.only.id
    here.url = NEW_KEY

    assert here.keep().id == before
    assert here.works
    assert here.sweeps == 0


def test_key_that_we_did_not_tell(here):
    """What Graph shows counts more than what we remember."""
    here.graph.renew(here.only.id, NEW_KEY, here.only.expires_at)
    assert not here.works

    here.keep()

    assert here.works


def test_lifecycle_address_with_an_old_key(here):
    """PATCH cannot change the lifecycle address: it is mended by a new one at half of its life."""
    here.url = NEW_KEY
    here.keep()
    here.clock.advance(LIFE / 2 + MINUTE)

    assert here.keep().lifecycle_url == NEW_KEY
    assert here.sweeps == 1
    before = here.only.id
    here.clock.advance(LIFE / 2 + MINUTE)
    assert here.keep().id == before


def test_moved_to_another_address(here):
    """A deployment that moves takes its subscription along."""
    before = here.only.id
    here.url = "https://moved.contoso.com/api/notifications?code=k"

    assert here.keep().id == before
    assert here.works


def test_client_state_rotated(here):
    """A new clientState needs a new subscription, and a sweep for what was refused meanwhile."""
    here.state = "second-state"

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_nothing_to_tell_graph():
    """Without WEBHOOK_URL nobody is called, and the console shows which setting is missing."""
    here = Deployment(url="")

    with pytest.raises(Refused, match="Set WEBHOOK_URL"):
        here.keeper.keep()

    assert (here.memory["status"], here.graph.live) == ("failed", {})
    assert "WEBHOOK_URL" in str(here.memory["detail"])


# Strays and neighbours


@pytest.mark.parametrize("changes", [("updated",), ("deleted",), ("updated", "deleted")])
def test_strays_are_deleted(here, changes):
    """Others that point here, with any key, are deleted: each would double every notification."""
    here.graph.make(NEW_KEY, STATE, here.clock() + LIFE * 2, *changes)

    here.keep()

    assert here.works


def test_those_of_other_programs_stay(here):
    """What points elsewhere and does not stand in our way is not touched."""
    theirs = here.graph.make("https://other.contoso.com/hook", "x", here.clock() + LIFE, "updated")
    groups = replace(theirs, id="groups", resource="groups", notification_url=URL)
    here.graph.live[groups.id] = groups

    here.keeper.keep()

    assert {theirs.id, groups.id} <= here.graph.live.keys()


def test_two_deployments_with_one_registration(here):
    """The second is told whose subscription is in its way, and does not take it."""
    before = here.only
    other = neighbour(here)

    with pytest.raises(Refused, match=r"points at photosync\.contoso\.com"):
        other.keeper.keep()

    assert here.only == before
    assert other.memory["status"] == "failed"


def test_two_new_deployments_with_one_registration_at_once():
    """Also when the other was faster by a moment, it keeps what it has."""
    here = Deployment()
    other = neighbour(here)
    here.graph.at_create.append(other.keeper.keep)

    with pytest.raises(Refused, match=r"points at elsewhere\.contoso\.com"):
        here.keeper.keep()

    assert other.works


def test_existing_one_without_an_id(here):
    """Where Graph does not say which one is in the way, a person must look."""
    here.forget()
    here.graph.shows = lambda all_: []
    here.graph.tells_existing = False

    with pytest.raises(Refused, match="an address that Graph does not reveal"):
        here.keeper.keep()
