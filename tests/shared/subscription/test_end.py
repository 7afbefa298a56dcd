"""The end of the subscription, at an uninstall: ours is deleted, and no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import AccessDenied, Conflict
from shared.subscription.keeper import NAME
from tests.shared.subscription.deployment import AT_WORK, Deployment, neighbour


def test_deleted_and_forgotten(here, caplog):
    """Neither Graph nor storage holds it afterwards; without one, nothing happens."""
    gone = here.only.id
    caplog.set_level("INFO", "photosync")
    for _ in range(2):
        here.keeper.end()
        assert caplog.messages == [f"subscription.deleted id={gone}"]
        assert (here.graph.live, here.documents.blobs) == ({}, {})
    Deployment().keeper.end()


@pytest.mark.parametrize("listed", [True, False])
def test_found_by_address_or_id(here, listed):
    """It is found by our address, though no blob names it, or by the remembered id."""
    if listed:
        here.forget()
    else:
        here.graph.list_own = list
    here.keeper.end()

    assert here.graph.live == {}


def test_anothers_stays(here):
    """A subscription with another address is not ours to delete."""
    neighbour(here).keeper.end()

    assert here.works


def test_one_whose_address_graph_does_not_show(here):
    """Without WEBHOOK_URL, a hidden address does not count as ours."""
    only = here.only
    here.graph.live[only.id] = replace(only, notification_url="")
    here.forget()
    here.url = ""
    here.keeper.end()

    assert list(here.graph.live) == [only.id]


def test_refusal(here):
    """If Graph refuses, the blob keeps the id and says why."""
    here.graph.error = AccessDenied("No right.")
    with pytest.raises(AccessDenied):
        here.keeper.end()

    assert (here.memory["status"], here.memory["detail"]) == ("failed", "No right.")
    assert here.memory["id"] == here.only.id


def test_one_run_at_a_time(here):
    """While another run is working, this one waits; a dead run blocks for a minute."""
    begun = here.keeper._begun(here.documents.read(NAME))
    with pytest.raises(Conflict):
        here.keeper.end()
    here.clock.advance(AT_WORK)
    here.keeper.end()

    assert begun.fields["keepingSince"]
    assert (here.graph.live, here.documents.blobs) == ({}, {})
