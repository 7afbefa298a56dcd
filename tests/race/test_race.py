"""No order of events leaves a wrong picture, and every step of Sync is needed for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.copying.sync import Sync
from shared.messages.sync_message import REASONS, REMOVAL
from tests.race import mutants
from tests.race.copier import Copier, copiers, message
from tests.race.search import Counterexample, Situation, random_path, search
from tests.race.world import World, half_written, synced, without_photo

OLD, NEW = b"old", b"new"
SKEW = timedelta(minutes=2)
# One run that may remove a picture, beside an ordinary one.
REMOVERS = (*copiers(1), Copier(2, message(2, reason="removal")))
# Changes of the source while copiers run: in this order, each at any moment.
SCENARIOS = {
    "nothing": Situation(World(OLD, 1), copiers(2)),
    "first photo changes": Situation(World(OLD, 1), copiers(2), (NEW,)),
    "same bytes again": Situation(synced(OLD), copiers(2), (OLD,)),
    "change": Situation(synced(OLD), copiers(2), (NEW,)),
    "first photo changes and back": Situation(World(OLD, 1), copiers(2), (NEW, OLD)),
    "change and back": Situation(synced(OLD), copiers(2), (NEW, OLD)),
    "delete": Situation(synced(OLD), copiers(2), (None,)),
    "delete and upload": Situation(synced(OLD), copiers(2), (None, OLD)),
    "change back after a death": Situation(half_written(OLD, NEW), copiers(2), (OLD,)),
    "upload and delete": Situation(without_photo(OLD), copiers(2), (NEW, None)),
    "first photo is deleted": Situation(World(OLD, 1), copiers(2), (None,)),
    "removal": Situation(without_photo(OLD), REMOVERS),
    "removal and upload": Situation(without_photo(OLD), REMOVERS, (OLD,)),
    "removal, upload and delete": Situation(without_photo(OLD), REMOVERS, (NEW, None)),
    "removal of a picture just deleted": Situation(synced(OLD), REMOVERS, (None,)),
    "removal of a picture that is there": Situation(synced(OLD), REMOVERS, (None, NEW)),
}
# One forced run, and the run that gets its redelivered message.
ORPHAN = Situation(synced(OLD), (Copier(1, message(1, force=True)),), faulty=True, orphans=1)
# For tests in which etags do not matter.
PLAIN_SCENARIO = pytest.mark.parametrize("scenario", list(SCENARIOS.values()), ids=list(SCENARIOS))
# That an etag never returns is only reported, so everything must hold if it does.
SCENARIOS |= {
    f"{name}, etag of content": replace(scenario, world=scenario.world.with_etags_of_content())
    for name, scenario in SCENARIOS.items()
}
EVERY_SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())


def with_different_clocks(scenario: Situation) -> Situation:
    """The clocks of the two copiers differ by four minutes, and time passes within a claim."""
    first, second = scenario.copiers
    copiers = (replace(first, apart=-SKEW), replace(second, apart=SKEW))
    world = replace(scenario.world, apart=2 * SKEW)
    return replace(scenario, world=world, copiers=copiers, pauses=1)


@EVERY_SCENARIO
def test_two_copiers_end_right(scenario):
    """Whatever two runs and a changing source do, the picture is right in the end."""
    assert search(scenario, Sync) is None


@EVERY_SCENARIO
def test_three_copiers_end_right(scenario):
    """The same is true of three copiers."""
    three = (*scenario.copiers, Copier(3, message(3)))
    assert search(replace(scenario, copiers=three), Sync) is None


@EVERY_SCENARIO
def test_frozen_copier(scenario):
    """A run may be frozen at any step until its claim has expired, while another run copies."""
    assert search(replace(scenario, freezes=1), Sync) is None


@EVERY_SCENARIO
def test_failure_at_any_step(scenario):
    """A run may die after any step, and any call may fail or be carried out unanswered."""
    assert search(replace(scenario, faults=1), Sync) is None


@PLAIN_SCENARIO
def test_dead_run_whose_message_is_lost(scenario):
    """If an admin clears the queue after a run has died, the next sweep repairs the result."""
    assert search(replace(scenario, deaths=1, cleared=True), Sync) is None


def test_freeze_and_failure_together():
    """A run that dies or fails midway while another one is frozen leaves nothing wrong."""
    assert search(replace(SCENARIOS["change"], freezes=1, faults=1), Sync) is None


@pytest.mark.parametrize(
    "name",
    ["change", "delete", "change back after a death", "upload and delete", "removal and upload"],
)
def test_orphan(name):
    """
    A run that the host considers dead continues beside the run that gets its redelivered message.

    Its claim may expire at any step, its renewal may be answered late, and it may finally die
    with a write in progress.
    """
    scenario = SCENARIOS[name]
    alone = replace(scenario, copiers=scenario.copiers[-1:], orphans=1, freezes=1)

    assert search(alone, Sync) is None


def test_orphan_dies_at_any_moment_of_its_claim():
    """Time passes in steps shorter than a claim: a write ends before its claim expires."""
    assert search(replace(ORPHAN, pauses=3), Sync) is None


@PLAIN_SCENARIO
def test_different_clocks(scenario):
    """The clocks of two instances differ by four minutes, and time passes within a claim."""
    assert search(with_different_clocks(scenario), Sync) is None


@PLAIN_SCENARIO
def test_deleted_state(scenario):
    """An admin deletes the state at any moment, even while a run is writing."""
    assert search(replace(scenario, deletions=1), Sync) is None


def test_deletion_and_death_together():
    """The run whose state was deleted dies, too: its message is redelivered and copies."""
    scenario = SCENARIOS["first photo changes"]

    assert search(replace(scenario, deletions=1, deaths=1), Sync) is None


def test_forced_copy_beside_an_ordinary_one():
    """A forced run writes again and does not disturb the other run."""
    forced = Copier(3, message(3, force=True))
    scenario = replace(SCENARIOS["change"], copiers=(*copiers(1), forced), faulty=True, freezes=1)

    assert search(scenario, Sync) is None


@given(
    st.sampled_from(sorted(SCENARIOS)),
    st.lists(st.sampled_from([OLD, NEW, None]), max_size=3),
    st.data(),
)
@settings(max_examples=300)
def test_longer_races_end_right(name, more, data):
    """Random paths: three copiers, an orphan, up to five changes, two freezes, two faults."""
    scenario = SCENARIOS[name]
    changes = (*scenario.changes, *more)
    three = (
        *scenario.copiers,
        Copier(3, message(3, reason=data.draw(st.sampled_from((*REASONS, REMOVAL))))),
    )
    start = replace(scenario, copiers=three, changes=changes, freezes=2, faults=2, orphans=1)

    def choose(successors):
        return successors[data.draw(st.integers(0, len(successors) - 1))]

    assert random_path(start, Sync, choose) is None


TWO_WRITERS = "two runs wrote at once"
WRONG_PICTURE = "SharePoint shows another picture than Exchange"
FIRST_LOOK = "a picture was removed at the first look"
NO_PHOTO = "no photo, but the state says synced"
OTHER_PHOTO = "SharePoint is right, but the state says synced and another photo"
NO_PHOTO_STATE = "SharePoint is right, but the state says no-photo and another photo"
REWRITTEN = "files were written that were there already"
STILL_THERE = "a picture was removed whose photo was there"
LEFT = "the photo is gone and its picture is not"
FIRST_PHOTO = SCENARIOS["first photo changes"]
DIES = {"faults": 1, "cleared": True}
WAYS_TO_FAIL: list[tuple[type[Sync], Situation, dict[str, Any], str]] = [
    (mutants.StateBeforeSource, SCENARIOS["upload and delete"], {}, NO_PHOTO),
    (mutants.BytesBeforeClaim, SCENARIOS["upload and delete"], {}, NO_PHOTO),
    (mutants.AbsenceFoundBeforeClaim, SCENARIOS["delete and upload"], {}, NO_PHOTO_STATE),
    (mutants.UnconditionalResult, FIRST_PHOTO, {"freezes": 1}, OTHER_PHOTO),
    (mutants.HashIgnored, SCENARIOS["same bytes again"], {}, REWRITTEN),
    (mutants.ClaimNotChecked, SCENARIOS["change"], {}, TWO_WRITERS),
    (mutants.ClaimWithoutCondition, SCENARIOS["change"], {}, TWO_WRITERS),
    (mutants.NoClaim, SCENARIOS["change"], {}, TWO_WRITERS),
    (mutants.NeverTooLate, SCENARIOS["change"], {"freezes": 1}, TWO_WRITERS),
    (mutants.OwnClaimTakenOver, ORPHAN, {}, TWO_WRITERS),
    (mutants.RenewalWithoutCondition, ORPHAN, {"freezes": 1}, TWO_WRITERS),
    (mutants.RenewalWithoutLook, ORPHAN, {"freezes": 2}, TWO_WRITERS),
    (mutants.ClaimSinceItsAnswer, ORPHAN, {"freezes": 1}, TWO_WRITERS),
    (mutants.WritesUntilTheEnd, ORPHAN, {"pauses": 2}, TWO_WRITERS),
    (mutants.LateWriteIgnored, SCENARIOS["change"], {"faults": 1}, TWO_WRITERS),
    (
        mutants.EtagOfTheBeginning,
        SCENARIOS["first photo changes and back, etag of content"],
        {},
        WRONG_PICTURE,
    ),
    (mutants.EtagOfTheEnd, FIRST_PHOTO, {}, WRONG_PICTURE),
    (mutants.ClaimByOwnClock, with_different_clocks(SCENARIOS["change"]), {}, TWO_WRITERS),
    (mutants.LostResultForgotten, FIRST_PHOTO, {"deletions": 1}, WRONG_PICTURE),
    (mutants.HashOutlivesError, SCENARIOS["change and back"], {"faults": 1}, WRONG_PICTURE),
    (mutants.HashOutlivesDeath, SCENARIOS["change and back"], DIES, WRONG_PICTURE),
    (mutants.DeathForgottenOnError, SCENARIOS["change back after a death"], DIES, WRONG_PICTURE),
    (mutants.RemovalWithoutSecondLook, SCENARIOS["removal and upload"], {}, STILL_THERE),
    (mutants.RemovalAtFirstLook, SCENARIOS["removal of a picture just deleted"], {}, FIRST_LOOK),
    (mutants.AbsenceOutlivesPhoto, SCENARIOS["removal, upload and delete"], {}, FIRST_LOOK),
    (mutants.PlaceNotAnnounced, SCENARIOS["first photo is deleted"], {"faults": 1}, LEFT),
]


@pytest.mark.parametrize(
    ("mutant", "scenario", "changes", "what"),
    WAYS_TO_FAIL,
    ids=[mutant.__name__ for mutant, *_ in WAYS_TO_FAIL],
)
def test_every_step_is_needed(mutant, scenario, changes, what):
    """Moving or omitting any one step leads to a counterexample."""
    found = search(replace(scenario, **changes), mutant)

    assert isinstance(found, Counterexample)
    assert found.what == what
