"""The subscription when PhotoSync is taken back: ours is deleted, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.errors import AccessDenied, ClaimLost, Conflict
from shared.subscription.keeper import AT_WORK, NAME
from tests.shared.subscription.deployment import Deployment, neighbour


@pytest.fixture
def here() -> Deployment:
    """A deployment that has subscribed."""
    deployment = Deployment()
    deployment.keep()
    return deployment


def test_deleted_and_forgotten(here):
    """Neither Graph nor the storage knows of it afterwards."""
    here.keeper.end()

    assert (here.graph.live, here.documents.blobs) == ({}, {})


def test_ended_twice(here):
    """Where there is none any more, or never was one, nothing happens."""
    for _ in range(2):
        here.keeper.end()
    Deployment().keeper.end()

    assert here.documents.blobs == {}


def test_one_that_graph_does_not_list(here):
    """It is found by the id that is remembered, too."""
    here.graph.list_own = list
    here.keeper.end()

    assert here.graph.live == {}


def test_strays_go_too(here):
    """One that points here is ours, though nobody remembers it."""
    here.forget()
    here.keeper.end()

    assert here.graph.live == {}


def test_anothers_stays(here):
    """What points elsewhere is not ours to delete."""
    neighbour(here).keeper.end()

    assert here.works


def test_one_whose_address_graph_does_not_show(here):
    """Without WEBHOOK_URL an address that is not shown is not taken for ours."""
    only = here.only
    here.graph.live[only.id] = replace(only, notification_url="")
    here.forget()
    here.url = ""
    here.keeper.end()

    assert list(here.graph.live) == [only.id]


def test_refusal_is_told(here):
    """Where Graph refuses, the subscription is still remembered, and why it is there."""
    here.graph.error = AccessDenied("No right.")
    with pytest.raises(AccessDenied):
        here.keeper.end()

    assert (here.memory["status"], here.memory["detail"]) == ("failed", "No right.")
    assert here.memory["id"] == here.only.id


def test_one_run_at_a_time(here):
    """While another run looks after it, this one waits; after its death it goes on."""
    begun = here.keeper._begun(here.documents.read(NAME))
    with pytest.raises(Conflict):
        here.keeper.end()
    here.clock.advance(AT_WORK)
    here.keeper.end()

    assert begun.fields["keepingSince"]
    assert (here.graph.live, here.documents.blobs) == ({}, {})


def test_a_run_that_came_in_between_makes_none(here):
    """Who was at work when it was deleted, and writes down what it made, is told otherwise."""
    begun = here.keeper._begun(here.documents.read(NAME))
    here.clock.advance(AT_WORK)
    here.keeper.end()

    with pytest.raises(ClaimLost):
        here.keeper._record(begun, {"status": "live"})
    assert here.documents.blobs == {}
