"""Removals: photos that are gone and users who have left, queued or held back by the brake."""

from __future__ import annotations

import json

import pytest

from shared.messages.sync_message import REMOVAL
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result, states


def sweeping(*, gone: int = 0, left: int = 0, managed: int = 100) -> Sweeping:
    """A sweep that finds so many photos gone, and so many leavers due to be forgotten."""
    office = Sweeping(result(managed=managed, gone=[f"g{n}" for n in range(gone)]))
    office.state_pages.results = [states(due=[f"l{n}" for n in range(left)])]
    return office


def test_removals_are_queued_once():
    """After its last page a sweep sends all users who are due to the worker, once."""
    office = Sweeping(result(gone=["a"]), result(), result(gone=["b"]))
    office.state_pages.results = [states(due=["c"], next="1"), states(due=["d"])]
    office.start()
    office.run_on()
    assert json.loads(office.upkeep.messages[-1].body)["sweepId"] == office.log.id
    assert office.orders()[-1] == ("removals", 0)
    office.remove()
    office.remove()
    office.sweep.removals.queue("unknown")

    assert office.queued() == [(user, REMOVAL) for user in "abcd"]
    assert {each.sweep_id for each in office.messages()} == {office.log.id}
    assert (office.log.gone, office.log.removals) == (2, "queued")
    assert (office.log.left, office.log.forgetting) == (2, "queued")


def test_only_the_attempt_that_counts_removes():
    """A list from an attempt whose log was not written removes no picture."""
    office = Sweeping(result(gone=["a"]), result(gone=["b"]))
    office.start()
    assert office.logs.keep_gone(office.log.id, 1, ["x", "y"])
    office.results[0] = result()
    office.run_on()
    office.remove()

    assert office.queued() == [("b", REMOVAL)]


@pytest.mark.parametrize(
    ("kinds", "sentences"),
    [
        ({"gone": 21}, ["21 of 100 pictures would be removed at once"]),
        ({"left": 21}, ["21 users who left would be forgotten at once"]),
        ({"gone": 21, "left": 21}, ["pictures would be removed", "would be forgotten"]),
    ],
    ids=["gone", "left", "both"],
)
def test_brake_holds_removals_until_a_person_releases_them(
    kinds: dict[str, int], sentences: list[str], caplog: pytest.LogCaptureFixture
):
    """Too many removals wait for a person, and the log says so; one release frees both kinds."""
    office, many = sweeping(**kinds), sum(kinds.values())
    assert office.sweep.removals.release() == 0
    office.run()
    office.remove()
    assert office.queued() == []
    braked = f'sweep.braked id={office.log.id} why="{office.log.detail}"'
    assert braked in caplog.messages
    assert all(each in office.log.detail for each in sentences)
    words = [("braked" if kind in kinds else "none") for kind in ("gone", "left")]
    assert [office.log.removals, office.log.forgetting] == words

    assert office.sweep.removals.release() == many
    assert office.orders() == [("removals", 0)]
    assert "A person released this at 2026-01-31 12" in office.log.detail
    office.remove()
    assert len(office.queued()) == many
    assert office.sweep.removals.release() == 0


def test_brake_counts_each_kind_alone():
    """Twenty-one of each, of 420 pictures, are not too many; a brake on one frees the other."""
    office = sweeping(gone=21, left=21, managed=420)
    office.run()
    assert (office.log.removals, office.log.forgetting) == ("due", "due")

    office = sweeping(gone=21, left=1)
    office.run()
    office.remove()
    assert (office.log.removals, office.log.forgetting) == ("braked", "queued")
    assert office.queued() == [("l0", REMOVAL)]
    assert office.sweep.removals.release() == 21
    office.remove()
    assert len(office.queued()) == 22


def test_release_after_the_next_sweep_began():
    """The previous sweep's brake can be released until the next sweep has decided anew."""
    office = sweeping(gone=21)
    office.run()
    office.now += 60 * MINUTE
    office.start()
    assert office.sweep.removals.release() == 21

    office = sweeping(gone=21)
    office.run()
    office.now += 60 * MINUTE
    office.results = [result(managed=100)]
    office.run()
    assert office.sweep.removals.release() == 0
