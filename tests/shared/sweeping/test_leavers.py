"""The end of a sweep: who has left is found, is counted, and waits for the brake."""

from __future__ import annotations

import logging

import pytest

from shared.errors import Conflict, ServiceDown
from shared.messages.sync_message import REMOVAL
from shared.sweeping.snapshot import Snapshot
from shared.sweeping.state_page import Progress
from shared.sweeping.sweep_log import FEWEST_ASKED
from tests.shared.sweeping.sweeping_alone import MINUTE, Sweeping, result, states


def leaving(people: int, **fields: object) -> Sweeping:
    """A sweep that finds so many leavers due."""
    office = Sweeping(result(**fields))
    office.remembered.results = [states(due=[f"l{n}" for n in range(people)])]
    return office


def test_who_moved_goes_to_the_worker():
    """Who has left, is back or is out of scope is queued; only the last one is a replay."""
    office = Sweeping(result(queue=[("a", "new")]))
    moved = [("b", "left"), ("c", "out-of-scope"), ("d", "back")]
    office.remembered.results = [states(moved=moved)]
    office.run()

    assert office.queued() == [("a", "sweep"), ("b", "sweep"), ("c", "replay"), ("d", "sweep")]
    assert office.log.changed == {"back": 1, "left": 1, "new": 1, "out-of-scope": 1}


def test_leavers_are_forgotten_through_the_worker():
    """Whose time has come is queued as a removal, beside those whose photo is gone."""
    office = Sweeping(result(gone=["a"]))
    office.remembered.results = [states(due=["b"], next="1"), states(due=["c"])]
    office.sweep.start()
    office.orders()
    office.work_off_pages()
    assert office.orders()[-1] == ("removals", 0)
    office.sweep.removals.queue(office.log.id)
    office.sweep.removals.queue(office.log.id)

    assert office.queued() == [("a", REMOVAL), ("b", REMOVAL), ("c", REMOVAL)]
    assert {each.sweep_id for each in office.told()} == {office.log.id}
    assert (office.log.gone, office.log.removals) == (1, "queued")
    assert (office.log.left, office.log.forgetting) == (2, "queued")


def test_page_of_states_is_done_once():
    """A page of states that comes twice, or of a sweep that moved on, counts nobody twice."""
    office = leaving(2)
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    office.sweep.work_off(office.log.id, 2)
    with pytest.raises(Conflict):
        office.sweep.work_off(office.log.id, 2)
    office.sweep.work_off(office.log.id, 1)

    assert (office.log.left, office.log.page) == (2, 3)


def test_page_of_states_that_fails_is_done_again():
    """An error leaves the sweep at this page, and it goes on there."""
    office = leaving(1)

    def fail(token: str, progress: Progress, snapshot: Snapshot) -> None:
        raise ServiceDown("Broken.")

    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    sound = office.remembered.look_at
    office.remembered.look_at = fail  # type: ignore[assignment,method-assign]
    with pytest.raises(ServiceDown):
        office.sweep.work_off(office.log.id, 2)
    office.remembered.look_at = sound  # type: ignore[method-assign]
    office.sweep.work_off(office.log.id, 2)

    assert (office.log.status, office.log.left) == ("finished", 1)


def test_brake_for_leavers(caplog: pytest.LogCaptureFixture):
    """Too many leavers at once wait for a person, loudly; released ones go ahead, once."""
    office = leaving(21, managed=100)
    office.run()
    office.sweep.removals.queue(office.log.id)
    assert office.queued() == []
    assert "sweep.braked" in caplog.text
    assert "21 users who left would be forgotten at once" in office.log.detail
    assert (office.log.removals, office.log.forgetting) == ("none", "braked")

    assert office.sweep.removals.release() == 21
    assert office.orders() == [("removals", 0)]
    assert "A person released this at 2026-01-31 12" in office.log.detail
    office.sweep.removals.queue(office.log.id)
    assert len(office.queued()) == 21
    assert office.sweep.removals.release() == 0


@pytest.mark.parametrize(
    ("people", "managed", "becomes"),
    [(20, 0, "due"), (21, 0, "braked"), (21, 419, "braked"), (21, 420, "due"), (0, 0, "none")],
)
def test_brake_judges_leavers_by_the_pictures(people: int, managed: int, becomes: str):
    """More than twenty, and than one in twenty of all whose picture is ours, is too many."""
    office = leaving(people, managed=managed)
    office.run()

    assert office.log.forgetting == becomes


def test_each_is_counted_apart():
    """Twenty photos gone and twenty leavers are neither too many; one brake holds not the other."""
    office = leaving(20, gone=[f"g{n}" for n in range(20)])
    office.run()
    assert (office.log.removals, office.log.forgetting) == ("due", "due")

    office = leaving(1, gone=[f"g{n}" for n in range(21)])
    office.run()
    office.sweep.removals.queue(office.log.id)
    assert (office.log.removals, office.log.forgetting) == ("braked", "queued")
    assert office.queued() == [("l0", REMOVAL)]
    assert office.sweep.removals.release() == 21
    office.sweep.removals.queue(office.log.id)
    assert len(office.queued()) == 22


def test_both_brakes_are_released_at_once():
    """Each was told, and one word of a person releases both."""
    office = leaving(21, gone=[f"g{n}" for n in range(21)])
    office.run()
    assert "pictures would be removed" in office.log.detail
    assert "would be forgotten" in office.log.detail

    assert office.sweep.removals.release() == 42
    office.sweep.removals.queue(office.log.id)
    assert len(office.queued()) == 42


def test_turns_go_round():
    """A sweep asks about some, the next one goes on behind them, and the last begins anew."""
    office = Sweeping(result(users=100))
    office.remembered.results = [
        states(asked=60, asked_to="f", next="1"),
        states(asked=40, asked_to="k", next="2"),
        states(asked_to="k"),
    ]
    office.run()
    assert office.remembered.asked == [("", "", 100), ("1", "f", 40), ("2", "k", 0)]
    assert office.log.asked_to == "k"

    office.remembered.asked.clear()
    office.remembered.results = [states(asked=9, asked_to="z")]
    office.now += 60 * MINUTE
    office.run()
    assert office.remembered.asked == [("", "k", 100)]
    assert office.log.asked_to == ""


def test_turn_is_kept_over_a_sweep_that_failed():
    """Whoever has had a turn is not asked about again because a sweep has failed since."""
    office = Sweeping(result(users=100))
    office.remembered.results = [states(asked=100, asked_to="k")]
    office.run()
    office.now += 60 * MINUTE
    office.sweep.start()
    office.sweep.fail(office.log.id, "No role.")
    office.now += 60 * MINUTE
    office.run()

    assert office.remembered.asked[-1] == ("", "k", FEWEST_ASKED)


def test_large_tenant_asks_about_more():
    """One in a hundred has a turn, so that the round does not grow with the tenant."""
    office = Sweeping(*[result(users=999)] * 21)
    office.run()

    assert office.remembered.asked == [("", "", 209)]


def test_states_in_a_circle_end_the_sweep(caplog: pytest.LogCaptureFixture):
    """Should storage ever list in a circle, the sweep ends; nobody is forgotten for it."""
    office = leaving(1)
    office.remembered.results = [states(due=["a"], next="0")] * 2
    office.sweep.start()
    office.sweep.work_off(office.log.id, 1)
    office.sweep.work_off(office.log.id, 2)
    with caplog.at_level(logging.ERROR, "photosync"), pytest.raises(Exception, match="never end"):
        office.sweep.work_off(office.log.id, 3)

    assert office.log.forgetting == "none"
