"""Blob `subscription.json`: what it says, and what happens without it."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from shared.errors import AccessDenied, ClaimLost, Conflict, ServiceDown, Throttled
from shared.subscription.keeper import NAME, shown
from tests.shared.subscription.deployment import LIFE, URL, Deployment

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"id": None},
        {"id": 7, "renewedAt": 7, "clientStateHash": []},
        {"id": {"id": "subscription-1"}, "status": ["live"], "keepingSince": 7},
        {"keepingSince": "9998-01-01T00:00:00+00:00", "more": float("inf")},
    ],
    ids=["empty", "nothing", "numbers", "other shapes", "time to come"],
)
def test_damaged_memory(here, damage):
    """If the blob is damaged, the clientState is unknown, and the subscription is created anew."""
    here.documents.put("subscription.json", damage)

    here.keep()

    assert here.works
    assert here.memory["id"] == here.only.id
    assert all(isinstance(each, str | None) for each in here.memory.values())


@pytest.mark.parametrize("odd", ["9998-01-01T00:00:00+00:00", "soon", "", 7])
def test_invalid_time_of_the_last_renewal(here, odd):
    """A renewal in the future, or at no time, does not delay the next one."""
    here.documents.put("subscription.json", {**here.memory, "renewedAt": odd})
    here.clock.advance(MINUTE)

    here.keeper.keep(reauthorize=True)

    assert here.only.expires_at == here.clock() + LIFE


def test_one_run_at_a_time(here):
    """While one run is working, another waits and calls nothing; a dead run blocks for a minute."""
    at = here.clock().isoformat()
    here.documents.put("subscription.json", {**here.memory, "keepingSince": at})
    here.graph.error = ServiceDown("Graph was called.")
    with pytest.raises(Conflict) as caught:
        here.keeper.keep()
    assert str(caught.value) == "Another run is checking the subscription right now."
    assert caught.value.over_in == 60
    here.graph.error = None
    here.clock.advance(MINUTE)

    here.keep()

    assert here.works
    assert "keepingSince" not in here.memory


def test_what_the_console_reads(here):
    """The blob says that it is live until when, and when it was created, renewed and checked."""
    made = here.clock().isoformat()
    here.clock.advance(MINUTE)
    here.keep()

    assert here.memory["status"] == "live"
    assert here.memory["expiresAt"] == here.only.expires_at.isoformat()
    assert (here.memory["createdAt"], here.memory["renewedAt"]) == (made, made)
    assert here.memory["checkedAt"] == here.clock().isoformat()
    assert here.memory["notificationUrl"] == URL.partition("?")[0]
    # Written by an earlier version, too: another hash would replace every subscription.
    assert here.memory["clientStateHash"] == hashlib.sha256(b"first-state").hexdigest()[:16]
    assert "first" not in str(here.memory), "neither the key nor the clientState"
    names = "status detail id expiresAt notificationUrl createdAt renewedAt checkedAt"
    assert set(shown(here.keeper._begun(here.documents.read(NAME)))) == set(names.split())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AccessDenied("No role."), "failed"),
        (Throttled("Busy.", retry_after=9), "waiting"),
        (ServiceDown("Down."), "waiting"),
    ],
    ids=["denied", "throttled", "down"],
)
def test_why_it_is_not_kept(here, error, status):
    """The blob keeps what is known, and says what is wrong until it is over."""
    known = here.memory["id"]
    here.graph.error = error

    with pytest.raises(type(error)):
        here.keeper.keep()
    assert (here.memory["status"], here.memory["detail"]) == (status, str(error))
    assert here.memory["id"] == known

    here.graph.error = None
    here.keep()
    assert (here.memory["status"], here.memory["detail"]) == ("live", "")


def test_sweep_is_asked_for_before_anything_is_recorded():
    """A run that dies after subscribing subscribes again, so no sweep is forgotten."""
    here = Deployment()

    def another_run() -> None:
        here.documents.put("subscription.json", {})

    here.graph.at_create.append(another_run)
    with pytest.raises(ClaimLost):
        here.keeper.keep()
    assert here.sweeps == 1

    here.keep()
    assert here.works
    assert here.sweeps == 2
