"""One live subscription with our address, whatever existed before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Refused
from tests.shared.subscription.deployment import LIFE, STATE, URL, Deployment, neighbour

NEW_KEY = URL.replace("first-key", "second-key")
MINUTE = timedelta(minutes=1)


# Created


def test_created_when_there_is_none(caplog):
    """The first run subscribes for as long as Graph allows, and asks for a sweep."""
    here: Any = Deployment()
    here.graph.find = lambda id_: pytest.fail("No id is remembered.")
    said: list[object] = []
    here.graph.at_create.append(lambda: said.extend([here.memory["status"], here.memory["detail"]]))

    with caplog.at_level("INFO", "photosync"):
        one = here.keep()

    expires = one.expires_at.isoformat()
    assert caplog.messages == [f"subscription.created id={one.id} expires={expires}"]
    assert here.works
    assert said == ["waiting", "PhotoSync is checking the subscription."]
    assert LIFE == here.only.expires_at - here.clock() <= timedelta(minutes=41_760)
    assert here.sweeps == 1
    assert here.warmed == [URL]
    assert here.only.lifecycle_url == URL


@pytest.mark.parametrize("left", [LIFE / 2, LIFE - MINUTE])
def test_kept_while_it_has_life(here, left):
    """A subscription with half of its life left is not changed; no sweep is needed."""
    before = here.only
    here.clock.advance(LIFE - left)

    assert here.keep() == before
    assert here.sweeps == 0


@pytest.mark.parametrize("revives", [False, True], ids=["lasting", "Graph would revive it"])
def test_expired(here, revives):
    """An expired one is replaced, even if Graph might revive it; a sweep finds what it missed."""
    here.graph.revives = revives
    here.clock.advance(LIFE)

    here.keep()

    assert here.works
    assert here.sweeps == 1


@pytest.mark.parametrize("listed", [True, False])
def test_gone(here, listed):
    """A subscription that Graph no longer knows is created anew, even if it is still listed."""
    ghost = here.only
    del here.graph.live[ghost.id]
    here.graph.shows = lambda all_: [*all_, ghost] if listed else []
    here.clock.advance(LIFE / 2 + MINUTE)

    here.keep()

    assert here.works
    assert here.sweeps == 1


# Changed settings


def test_key_that_differs_at_graph(here):
    """What Graph shows takes precedence over what we remember."""
    here.graph.renew(here.only.id, NEW_KEY, here.only.expires_at)
    assert not here.works

    here.keep()

    assert here.works


def test_lifecycle_address_with_an_old_key(here):
    """PATCH cannot change the lifecycle address: it is recreated at half of its life, once."""
    here.url = NEW_KEY
    here.keep()
    here.graph.tells_existing = False
    here.clock.advance(LIFE / 2 + MINUTE)

    assert here.keep().lifecycle_url == NEW_KEY
    assert here.sweeps == 1
    before = here.only.id
    here.clock.advance(LIFE / 2 + MINUTE)
    assert here.keep().id == before


def test_lifecycle_address_that_graph_shows(here):
    """An address that Graph shows needs no memory of it."""
    before = here.only.id
    del here.memory["lifecycleHash"]
    here.clock.advance(LIFE / 2 + MINUTE)

    assert here.keep().id == before


def test_moved_to_another_address(here):
    """A deployment that moves keeps its subscription, with the new address and any key."""
    before = here.only.id
    here.url = "https://moved.contoso.com/api/notifications?code=first-key"

    assert here.keep().id == before
    assert here.works


def test_client_state_rotated(here):
    """A new clientState needs a new subscription, and a sweep for what was refused meanwhile."""
    here.state = "second-state"

    here.keep()

    assert here.works
    assert here.sweeps == 1


def test_without_webhook_url():
    """Without WEBHOOK_URL Graph is not called, and the console names the missing setting."""
    here = Deployment(url="")

    with pytest.raises(Refused):
        here.keeper.keep()

    assert (here.memory["status"], here.graph.live) == ("failed", {})
    why = "Set WEBHOOK_URL to tell Graph where to send notifications."
    assert here.memory["detail"] == why


# Strays and other deployments


@pytest.mark.parametrize("changes", [("updated",), ("deleted",), ("updated", "deleted"), ()])
def test_strays_are_deleted(here, changes):
    """Other subscriptions with our address are deleted: each doubles the notifications."""
    before = here.only.id
    here.graph.make(NEW_KEY, STATE, here.clock() + LIFE * 2, *changes)
    here.graph.shows = lambda all_: all_[::-1]

    assert here.keep().id == before
    assert here.works


def test_subscriptions_of_other_programs_stay(here):
    """A subscription with another address or resource is not touched."""
    theirs = here.graph.make("https://other.contoso.com/hook", "x", here.clock() + LIFE, "updated")
    groups = replace(theirs, id="groups", resource="groups", notification_url=URL)
    here.graph.live[groups.id] = groups

    here.keeper.keep()

    assert {theirs.id, groups.id} <= here.graph.live.keys()


def test_two_new_deployments_with_one_registration_at_once():
    """A deployment that was faster by a moment keeps its subscription, too."""
    here = Deployment()
    other = neighbour(here)
    here.graph.at_create.append(other.keeper.keep)

    with pytest.raises(Refused, match=r"points at elsewhere\.contoso\.com"):
        here.keeper.keep()

    assert other.works


def test_existing_one_without_an_id(here):
    """If Graph does not say which subscription exists, the error says so."""
    here.forget()
    here.graph.shows = lambda all_: []
    here.graph.tells_existing = False

    with pytest.raises(Refused, match="points at an address that Graph does not reveal. Del"):
        here.keeper.keep()
