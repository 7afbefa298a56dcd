"""The budget that all instances share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.budget.fleet_budget import ALONE, HOLD, LARGEST
from shared.budget.fleet_ledger import ASK_AGAIN
from shared.budget.work import AHEAD, Kind, doing
from shared.telemetry.calls import noted
from tests.shared.budget.fleet import AWAY, DOCUMENT, WINDOW, Fleet


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(limit=1000)


def test_one_limit_for_all(fleet: Fleet):
    """Calls that one instance has spent are unavailable to others for five minutes."""
    one, other = fleet.instance(skew=-120), fleet.instance(skew=120)
    assert fleet.spend(one, Kind.CHANGE, 600) == 600
    assert fleet.spend(other, Kind.CHANGE, 600) <= 400

    fleet.pass_time(WINDOW - 1)
    assert fleet.spend(other, Kind.CHANGE, 600) <= 1000 - len(fleet.made)
    fleet.pass_time(20)
    assert fleet.spend(other, Kind.CHANGE, 600) == 600
    assert fleet.most <= 1000


def test_nearly_all_of_the_limit_is_used(fleet: Fleet):
    """Two busy instances make nine tenths of the calls that the limit allows first copies."""
    budgets, made = [fleet.instance(), fleet.instance(skew=7)], 0
    for _ in range(3600):
        made += sum(fleet.spend(budget, Kind.SWEEP, 3) for budget in budgets)
        fleet.pass_time(1)

    assert fleet.most <= 1000
    assert made > 0.9 * 0.88 * 1000 * 3600 / WINDOW


@given(st.integers(1, 40), st.data())
def test_never_more_than_the_limit(limit: int, data: st.DataObject):
    """No five minutes exceed the limit, whatever instances and clocks do."""
    fleet = Fleet(limit)
    skews = data.draw(st.lists(st.floats(-120, 120), min_size=2, max_size=4))
    budgets = [fleet.instance(skew) for skew in skews]
    which = st.integers(0, len(budgets) - 1)
    steps = data.draw(
        st.lists(
            st.tuples(
                which,
                st.sampled_from(Kind),
                st.integers(1, 12),
                st.sampled_from([0, AHEAD]),
                st.none() | which,
                st.sampled_from([0.0, 0.7, 5.0, 45.0, 100.0, 300.0]),
                st.booleans(),
            ),
            max_size=40,
        )
    )
    for here, kind, calls, ahead, other, seconds, timers in steps:
        if other not in (None, here):
            # Between a read and the write that follows.
            fleet.documents.at_read.append(partial(fleet.spend, budgets[other], Kind.CHANGE, 3))
        with doing(kind, ahead=ahead):
            for _ in range(calls):
                fleet.call(budgets[here])
        # If no call read the document, it must not happen while an instance gives back.
        fleet.documents.at_read.clear()
        fleet.pass_time(seconds, timers=timers)

    assert fleet.most <= limit


def test_lost_draws(fleet: Fleet):
    """An instance that lost a conditional write tries again; after several it waits a moment."""
    one, other = fleet.instance(), fleet.instance()
    fleet.documents.at_read.append(lambda: fleet.spend(other, Kind.CHANGE, 3))
    assert fleet.spend(one, Kind.CHANGE, 1) == 1
    assert len(fleet.documents.blobs[DOCUMENT].fields["held"]) == 2

    late = fleet.instance()
    fleet.documents.at_read += [lambda: fleet.documents.put(DOCUMENT, {})] * 99
    assert fleet.call(late) == 1.0
    fleet.documents.at_read.clear()
    fleet.pass_time(1)
    assert fleet.call(late) == 0


def test_unused_portion_is_given_back(fleet: Fleet):
    """An instance without work leaves its portion to others."""
    one, other = fleet.instance(), fleet.instance()
    one.reserve(Kind.CHANGE, 950)
    assert other.reserve(Kind.CHANGE, 100) == ASK_AGAIN
    assert fleet.spend(one, Kind.CHANGE, 10) == 10
    assert fleet.spend(other, Kind.CHANGE, 100) < 100

    fleet.pass_time(HOLD)
    assert fleet.spend(other, Kind.CHANGE, 850) == 850
    assert fleet.spend(one, Kind.CHANGE, 1) == 1, "it draws again"


def test_portion_of_a_dead_instance(fleet: Fleet):
    """It counts as spent until the window has passed; the instance, if only frozen, has lost it."""
    one, other = fleet.instance(), fleet.instance()
    one.reserve(Kind.CHANGE, 950)
    fleet.pass_time(HOLD + 1, timers=False)
    assert fleet.spend(other, Kind.CHANGE, 100) < 100

    fleet.pass_time(WINDOW + 20, timers=False)
    assert fleet.spend(other, Kind.CHANGE, 950) >= 800
    assert fleet.spend(one, Kind.CHANGE, 200) < 200
    assert fleet.most <= fleet.limit


def test_portion_that_cannot_be_given_back(fleet: Fleet):
    """While storage is away it is not spent either."""
    one = fleet.instance()
    one.reserve(Kind.CHANGE, 950)
    fleet.documents.error = AWAY
    fleet.pass_time(HOLD)

    assert fleet.spend(one, Kind.CHANGE, 100) == int(fleet.limit * ALONE)


def test_frozen_run_has_lost_what_it_was_promised(fleet: Fleet):
    """A run that was frozen must not make the calls that were promised to it."""
    one, other = fleet.instance(), fleet.instance()
    with doing(Kind.SWEEP):
        fleet.call(one)
        fleet.pass_time(HOLD + WINDOW + 20, timers=False)
        assert fleet.spend(other, Kind.BEGUN, 1000) == 1000
        assert fleet.call(one) > 0


def test_spent_calls_are_written_before_a_wait(fleet: Fleet):
    """An instance that has to wait first writes what it spent, and when."""
    budget = fleet.instance()
    assert fleet.spend(budget, Kind.CHANGE, 1000) == 970

    fields = fleet.documents.blobs[DOCUMENT].fields
    assert sum(calls["CHANGE"] for calls in fields["spent"].values()) == 970
    assert fields["held"] == {}


# Precedence


def test_precedence(fleet: Fleet):
    """First copies leave calls to audits, audits to changes, changes to copies in progress."""
    budget = fleet.instance()
    spent = [fleet.spend(budget, kind, 1000) for kind in reversed(Kind)]

    assert all(spent)
    assert (spent[0], sum(spent)) == (880, 1000)


def test_first_copies_are_spread():
    """Calls spent all at once would also leave the window all at once, and changes would wait."""
    fleet = Fleet(limit=15_000)
    budget = fleet.instance()
    assert fleet.spend(budget, Kind.SWEEP, 9999) == int(15_000 * 0.88 * 0.14)

    seconds = budget.reserve(Kind.SWEEP, 5)
    assert 20 < seconds < 35
    fleet.pass_time(seconds)
    assert fleet.spend(budget, Kind.SWEEP, 1) == 1


def test_changes_are_not_held_up():
    """While first copies spend all they may, a burst of changes is done within a minute."""
    fleet = Fleet(limit=15_000)
    budget, changes = fleet.instance(), 0
    fleet.spend_for(600, budget, Kind.SWEEP)
    for _ in range(12):
        changes += fleet.spend(budget, Kind.CHANGE, 3000 - changes)
        fleet.spend_for(5, budget, Kind.SWEEP)

    assert changes == 3000


def test_audits_have_a_share(fleet: Fleet):
    """Audits of all instances together stay within their share of the limit."""
    one, other = fleet.instance(), fleet.instance()

    assert one.reserve(Kind.AUDIT, 150) == 0
    assert fleet.spend(one, Kind.AUDIT, 150) == 150
    fleet.pass_time(HOLD + 2)
    assert 300 < other.reserve(Kind.AUDIT, 100) <= 312
    assert other.reserve(Kind.AUDIT, 50) > 0, "without calling storage"
    fleet.pass_time(311)
    assert other.reserve(Kind.AUDIT, 100) == 0


def test_reserve_for_changes_grows(fleet: Fleet):
    """First copies leave changes as many calls as these have spent lately, within bounds."""
    budget = fleet.instance()
    assert fleet.spend(budget, Kind.CHANGE, 200) == 200
    copies = fleet.spend_for(250, budget, Kind.SWEEP)

    assert 490 <= copies <= 520
    assert fleet.spend(budget, Kind.CHANGE, 200) == 200


def test_copy_that_begins_can_end(fleet: Fleet):
    """With its first call a run has all that it needs, whatever others spend."""
    one, other = fleet.instance(), fleet.instance()
    with doing(Kind.SWEEP):
        assert fleet.call(one) == 0
        assert fleet.spend(one, Kind.CHANGE, 50) == 50
        fleet.spend(other, Kind.BEGUN, 1000)
        assert [fleet.call(one) for _ in range(AHEAD)] == [0] * AHEAD
    assert fleet.most <= 1000


def test_unneeded_calls_are_free_again(fleet: Fleet):
    """A run that reads a profile and writes nothing costs one call."""
    budget = fleet.instance()
    began = fleet.spend(budget, Kind.SWEEP, 1000, ahead=AHEAD)

    assert began == 880 - AHEAD
    fleet.documents.calls = 0
    fleet.pass_time(WINDOW + 20)
    assert fleet.spend(budget, Kind.SWEEP, 20, ahead=AHEAD) == 20
    assert fleet.documents.calls <= 4


def test_copy_outlasts_a_portion(fleet: Fleet):
    """A run whose portion has expired draws the rest before all others."""
    one, other = fleet.instance(), fleet.instance()
    with doing(Kind.SWEEP):
        fleet.call(one)
        fleet.pass_time(HOLD + 1, timers=False)
        fleet.spend(other, Kind.CHANGE, 1000)
        assert fleet.call(one) == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_tiny_limit(limit: int):
    """A limit smaller than a copy lets it go on step by step."""
    fleet = Fleet(limit)
    budget = fleet.instance()
    for _ in range(4):
        with doing(Kind.SWEEP):
            assert fleet.call(budget) == 0
        fleet.pass_time(WINDOW + 61)


# What it costs, and when storage is away


def test_few_calls_of_storage(fleet: Fleet):
    """A busy fleet calls storage a few times a minute; a run is not charged for these calls."""
    budget = fleet.instance()
    with noted() as made:
        fleet.spend(budget, Kind.CHANGE, 5)
        assert fleet.documents.calls <= 7, "the first call creates the document"
        fleet.spend(budget, Kind.CHANGE, 1000)
    assert fleet.documents.calls < 1 / LARGEST + 20
    assert (fleet.most, made) == (970, [])
    fleet.documents.calls = 0
    for _ in range(100):
        fleet.spend(budget, Kind.CHANGE, 1)
    assert fleet.documents.calls <= 1


def test_storage_away(fleet: Fleet, caplog: pytest.LogCaptureFixture):
    """Without storage each instance has a small share, which is logged once and counted later."""
    caplog.set_level("INFO", "photosync")
    one, other = fleet.instance(), fleet.instance()
    fleet.spend(one, Kind.CHANGE, 1)
    fleet.pass_time(HOLD)
    fleet.documents.error = AWAY
    few = int(fleet.limit * ALONE)

    assert fleet.spend(one, Kind.CHANGE, 1000) == few
    fleet.pass_time(WINDOW + 1)
    assert fleet.spend(one, Kind.CHANGE, 1000) == few
    assert one.reserve(Kind.AUDIT, 5) > 0
    fleet.documents.error = None
    fleet.pass_time(40)
    fleet.spend(one, Kind.CHANGE, 1)

    assert fleet.spend(other, Kind.BEGUN, 1000) + few <= 1000
    events = [record.getMessage().split()[0] for record in caplog.records]
    assert events == ["budget.alone", "budget.shared"]


@pytest.mark.parametrize(
    "fields",
    [
        {"spent": 5},
        {"spent": {"x": {}}},
        {"spent": {"1760000000": {"OTHER": 1000}}},
        {"spent": {"99999999999": {"SWEEP": 1000}}},
        {"held": {"gone": {"calls": {"SWEEP": 1000}, "until": 1e12}}},
        {"held": {"gone": {"calls": {"SWEEP": 1000}, "until": float("nan")}}},
        {"held": {"gone": 3}},
        {"spent": {"1760000000": {"CHANGE": 10**400}}},
        {"spent": {str(-(10**400)): {"SWEEP": 1}}},
    ],
)
def test_damaged_document(fleet: Fleet, fields: dict[str, Any]):
    """A document of another form delays no run."""
    fleet.documents.put(DOCUMENT, fields)

    assert fleet.spend(fleet.instance(), Kind.SWEEP, 100) == 100


def test_threads_share_a_budget(fleet: Fleet):
    """Threads that take calls at once do not take more than there are."""
    budget, barrier = fleet.instance(), threading.Barrier(8)

    def take(_: int) -> int:
        barrier.wait()
        return fleet.spend(budget, Kind.BEGUN, 200)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(take, range(8))) == 1000
