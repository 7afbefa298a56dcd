"""No order of events leaves a wrong picture, and every step of Sync is needed for that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.copying.sync import Sync
from shared.messages.sync_message import REASONS, REMOVAL
from tests.race import mutants
from tests.race.copier import Copier, copiers, message
from tests.race.search import Counterexample, Situation, search, wander
from tests.race.world import World, half_written, synced, without_photo

OLD, NEW = b"old", b"new"
SKEW = timedelta(minutes=2)
# One run that may remove a picture, beside an ordinary one.
REMOVERS = (*copiers(1), Copier(2, message(2, reason="removal")))
# Changes of the source while copiers run: in this order, each at any moment.
STORIES = {
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
PLAIN_STORY = pytest.mark.parametrize("story", list(STORIES.values()), ids=list(STORIES))
# That an etag never returns is only reported, so everything must hold if it does.
STORIES |= {
    f"{name}, etag of content": replace(story, world=story.world.with_etags_of_content())
    for name, story in STORIES.items()
}
EVERY_STORY = pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())


@EVERY_STORY
def test_two_copiers_end_right(story):
    """Whatever two runs and a changing source do, the picture is right in the end."""
    assert search(story, Sync) is None


@EVERY_STORY
def test_three_copiers_end_right(story):
    """The same is true of three copiers."""
    assert search(replace(story, copiers=(*story.copiers, Copier(3, message(3)))), Sync) is None


@EVERY_STORY
def test_frozen_copier(story):
    """A run may be frozen at any step until its claim has expired, while another run copies."""
    assert search(replace(story, freezes=1), Sync) is None


@EVERY_STORY
def test_failure_at_any_step(story):
    """A run may die after any step, and any call may fail or be carried out unanswered."""
    assert search(replace(story, faults=1), Sync) is None


@PLAIN_STORY
def test_dead_run_whose_message_is_lost(story):
    """If an admin clears the queue after a run has died, the next sweep repairs the result."""
    assert search(replace(story, deaths=1, cleared=True), Sync) is None


def test_freeze_and_failure_together():
    """A run that dies or fails midway while another one is frozen leaves nothing wrong."""
    assert search(replace(STORIES["change"], freezes=1, faults=1), Sync) is None


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
    story = STORIES[name]
    alone = replace(story, copiers=story.copiers[-1:], orphans=1, freezes=1)

    assert search(alone, Sync) is None


def test_orphan_dies_at_any_moment_of_its_claim():
    """Time passes in steps shorter than a claim: a write ends before its claim expires."""
    assert search(replace(ORPHAN, pauses=3), Sync) is None


@PLAIN_STORY
def test_different_clocks(story):
    """The clocks of two instances differ by four minutes, and time passes within a claim."""
    first, second = story.copiers
    apart = (replace(first, apart=-SKEW), replace(second, apart=SKEW))
    world = replace(story.world, apart=2 * SKEW)

    assert search(replace(story, world=world, copiers=apart, pauses=1), Sync) is None


@PLAIN_STORY
def test_deleted_state(story):
    """An admin deletes the state at any moment, even while a run is writing."""
    assert search(replace(story, deletions=1), Sync) is None


def test_deletion_and_death_together():
    """The run whose state was deleted dies, too: its message is redelivered and copies."""
    story = STORIES["first photo changes"]

    assert search(replace(story, deletions=1, deaths=1), Sync) is None


def test_forced_copy_beside_an_ordinary_one():
    """A forced run writes again and does not disturb the other run."""
    forced = Copier(3, message(3, force=True))
    story = replace(STORIES["change"], copiers=(*copiers(1), forced), faulty=True, freezes=1)

    assert search(story, Sync) is None


@given(
    st.sampled_from(sorted(STORIES)),
    st.lists(st.sampled_from([OLD, NEW, None]), max_size=3),
    st.data(),
)
@settings(max_examples=300)
def test_longer_races_end_right(name, more, data):
    """Random paths: three copiers, an orphan, up to five changes, two freezes, two faults."""
    story = STORIES[name]
    changes = (*story.changes, *more)
    three = (
        *story.copiers,
        Copier(3, message(3, reason=data.draw(st.sampled_from((*REASONS, REMOVAL))))),
    )
    start = replace(story, copiers=three, changes=changes, freezes=2, faults=2, orphans=1)

    def choose(nexts):
        return nexts[data.draw(st.integers(0, len(nexts) - 1))]

    assert wander(start, Sync, choose) is None


TWO_WRITERS = "two runs wrote at once"
WRONG_PICTURE = "SharePoint shows another picture than Exchange"
FIRST_LOOK = "a picture was taken back at the first look"
WAYS_TO_FAIL = [
    (
        mutants.StateBeforeSource,
        STORIES["upload and delete"],
        "no photo, but the state says synced",
    ),
    (
        mutants.BytesBeforeClaim,
        STORIES["upload and delete"],
        "no photo, but the state says synced",
    ),
    (
        mutants.AbsenceFoundBeforeClaim,
        STORIES["delete and upload"],
        "SharePoint is right, but the state says no-photo and another photo",
    ),
    (
        mutants.UnconditionalResult,
        replace(STORIES["first photo changes"], freezes=1),
        "SharePoint is right, but the state says synced and another photo",
    ),
    (
        mutants.HashIgnored,
        STORIES["same bytes again"],
        "files were written that were there already",
    ),
    (mutants.ClaimNotChecked, STORIES["change"], TWO_WRITERS),
    (mutants.ClaimWithoutCondition, STORIES["change"], TWO_WRITERS),
    (mutants.NoClaim, STORIES["change"], TWO_WRITERS),
    (mutants.NeverTooLate, replace(STORIES["change"], freezes=1), TWO_WRITERS),
    (mutants.OwnClaimTakenOver, ORPHAN, TWO_WRITERS),
    (mutants.RenewalWithoutCondition, replace(ORPHAN, freezes=1), TWO_WRITERS),
    (mutants.RenewalWithoutLook, replace(ORPHAN, freezes=2), TWO_WRITERS),
    (mutants.ClaimSinceItsAnswer, replace(ORPHAN, freezes=1), TWO_WRITERS),
    (mutants.WritesUntilTheEnd, replace(ORPHAN, pauses=2), TWO_WRITERS),
    (mutants.NoLateWriteFeared, replace(STORIES["change"], faults=1), TWO_WRITERS),
    (
        mutants.EtagOfTheBeginning,
        STORIES["first photo changes and back, etag of content"],
        WRONG_PICTURE,
    ),
    (mutants.EtagOfTheEnd, STORIES["first photo changes"], WRONG_PICTURE),
    (
        mutants.ClaimByOwnClock,
        replace(
            STORIES["change"],
            copiers=tuple(
                replace(copier, apart=apart)
                for copier, apart in zip(copiers(2), (-SKEW, SKEW), strict=True)
            ),
            pauses=1,
        ),
        TWO_WRITERS,
    ),
    (
        mutants.LostResultForgotten,
        replace(STORIES["first photo changes"], deletions=1),
        WRONG_PICTURE,
    ),
    (mutants.HashOutlivesError, replace(STORIES["change and back"], faults=1), WRONG_PICTURE),
    (
        mutants.HashOutlivesDeath,
        replace(STORIES["change and back"], faults=1, cleared=True),
        WRONG_PICTURE,
    ),
    (
        mutants.DeathForgottenOnError,
        replace(STORIES["change back after a death"], faults=1, cleared=True),
        WRONG_PICTURE,
    ),
    (
        mutants.RemovalWithoutSecondLook,
        STORIES["removal and upload"],
        "a picture was taken back whose photo was there",
    ),
    (mutants.RemovalAtFirstLook, STORIES["removal of a picture just deleted"], FIRST_LOOK),
    (mutants.AbsenceOutlivesPhoto, STORIES["removal, upload and delete"], FIRST_LOOK),
    (
        mutants.PlaceNotAnnounced,
        replace(STORIES["first photo is deleted"], faults=1),
        "the photo is gone and its picture is not",
    ),
]


@pytest.mark.parametrize(
    ("mutant", "story", "what"), WAYS_TO_FAIL, ids=[mutant.__name__ for mutant, *_ in WAYS_TO_FAIL]
)
def test_every_step_is_needed(mutant, story, what):
    """Moving or omitting any one step leads to a counterexample."""
    found = search(story, mutant)

    assert isinstance(found, Counterexample)
    assert found.what == what
