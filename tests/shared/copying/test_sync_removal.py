"""A photo that is gone takes our picture along: not at once, not blindly, and only ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.run import Policy, Run
from shared.errors import (
    AccessDenied,
    ClaimHeld,
    ClaimLost,
    NoPhoto,
    OutOfScope,
    Throttled,
    Unanswered,
)
from shared.messages.fates import Wait
from shared.storage.user_state import NO_PHOTO, REMOVED, SECOND_LOOK_AFTER, SKIPPED, SYNCED, Claim
from shared.telemetry import calls
from tests.doubles.office import ANNE, NOON, Office, failing
from tests.shared.copying.runs import CLAIM, NEW, OLD, TICK, a_run, bring_up_to_date, fail, miss

KEPT = "a picture that must stay"


@pytest.fixture
def missed(synced: Office) -> Office:
    """Anne's photo is gone; it was missed first ten minutes ago."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(SECOND_LOOK_AFTER)
    return synced


def a_removal() -> Run:
    return a_run(removal=True)


def remove(office: Office) -> str:
    return bring_up_to_date(office, a_removal())


def test_second_look_takes_the_picture_back(missed):
    """A photo still missing ten minutes later: files and address go, and the state says so."""
    before = missed.anne

    assert remove(missed) == "removed"

    assert missed.shows_nothing()
    assert missed.anne == replace(
        before,
        status=REMOVED,
        reason="",
        detail="The photo is gone from Exchange, so PhotoSync removed the picture from SharePoint.",
        sha256="",
        picture_url="",
        files=(),
        missing_since=None,
        checked_at=NOON + SECOND_LOOK_AFTER,
        attempt=0,
    )


def test_too_early_for_a_second_look(missed):
    """Less than ten minutes after the first look nothing is taken back."""
    missed.clock.advance(-TICK)
    fail(missed, NoPhoto, a_removal())

    assert missed.shows(OLD)


def test_first_look_takes_nothing_back(synced):
    """A photo that nobody has missed before is only missed, whatever the message says."""
    synced.exchange.delete()
    miss(synced, a_removal())

    assert synced.shows(OLD)
    assert synced.anne.missing_since == NOON


def test_other_messages_take_nothing_back(missed):
    """Only a removal takes a picture back: no notification, no replay, no sweep, no force."""
    miss(missed)
    miss(missed, a_run(force=True))

    assert missed.shows(OLD)
    assert missed.anne.missing_since == NOON


def test_removed_photo_may_be_kept(missed):
    """With REMOVED_PHOTO=keep the picture stays, and the user is known to have no photo."""
    missed.policy = Policy(remove_when_gone=False)
    miss(missed, a_removal())

    assert missed.shows(OLD)
    assert missed.anne.status == NO_PHOTO


@pytest.mark.parametrize("photo", [OLD, NEW], ids=["same", "another"])
def test_photo_that_is_back(missed, photo):
    """A photo that is back before the message comes is copied instead."""
    missed.exchange.upload(photo)

    assert remove(missed) in {"synced", "unchanged"}
    assert missed.shows(photo)
    assert (missed.anne.status, missed.anne.missing_since) == (SYNCED, None)


def test_photo_that_comes_back_before_the_claim(missed):
    """A photo that comes after the first look of the run is seen by the second, and copied."""
    read = missed.store.read
    missed.store.read = lambda user_id: (missed.exchange.upload(NEW), read(user_id))[1]

    assert remove(missed) == "synced"
    assert missed.shows(NEW)


def test_photo_that_comes_back_afterwards(missed):
    """A photo that is set again after its picture was taken back is copied anew."""
    remove(missed)
    missed.exchange.upload(OLD)

    assert bring_up_to_date(missed) == "synced"
    assert missed.shows(OLD)


def test_old_removal_of_a_photo_gone_again(missed):
    """A removal that waited while the photo was there and went again finds a first look only."""
    missed.exchange.upload(NEW)
    bring_up_to_date(missed)
    missed.exchange.delete()
    miss(missed, a_removal())

    assert missed.shows(NEW)


def test_removal_is_done_once(missed):
    """A removal delivered twice, or any look at the user later, costs two calls."""
    remove(missed)

    with calls.noted() as made:
        assert [remove(missed), bring_up_to_date(missed)] == ["unchanged"] * 2

    assert sorted(made) == ["blob", "blob", "graph", "graph"]


@pytest.mark.parametrize("dead", [False, True], ids=["no picture of ours", "and a death"])
def test_nothing_of_ours(office, dead):
    """Where we have put nothing, nothing is taken back, though a run died before it did."""
    office.exchange.delete()
    miss(office)
    since = NOON - timedelta(days=1)
    claim = Claim("another", 0.0) if dead else None
    office.change(missing_since=since, claim=claim)
    office.sharepoint.properties[ANNE.user_principal_name] = {"PictureURL": KEPT}

    miss(office, a_removal())

    assert office.sharepoint.shown(ANNE) == KEPT
    assert office.sharepoint.writes == 0


def test_picture_of_a_person_stays(missed):
    """A picture that a person has set meanwhile stays; the files that it replaced go."""
    missed.sharepoint.properties[ANNE.user_principal_name]["PictureURL"] = KEPT
    assert missed.sharepoint.files[ANNE.user_principal_name]
    assert bring_up_to_date(missed, a_removal()) == "removed"

    assert missed.sharepoint.shown(ANNE) == KEPT
    assert missed.sharepoint.files[ANNE.user_principal_name] == {}
    assert (missed.anne.status, missed.anne.reason) == (SKIPPED, "picture-kept")
    assert missed.anne.picture_url == ""
    miss(missed, a_removal())


def test_user_out_of_scope_keeps_the_picture(missed):
    """Who is no longer looked after loses nothing."""
    missed.check_scope = failing_scope
    fail(missed, OutOfScope, a_removal())

    assert missed.shows(OLD)


def failing_scope(user: object) -> None:
    raise OutOfScope("The user is not a member of the group in SYNC_GROUP_ID.")


@pytest.mark.parametrize("error", [Throttled("Busy."), AccessDenied("No consent.")])
def test_source_that_cannot_tell(missed, error):
    """While the source cannot say whether there is a photo, no picture is taken back."""
    missed.exchange.error = error
    fail(missed, type(error), a_removal())

    assert missed.shows(OLD)


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_death_at_any_step_of_a_removal(missed, write):
    """A run that dies while it takes a picture back is finished by the next one."""

    class Death(BaseException):
        """The process is gone: nobody handles this."""

    missed.sharepoint.at_write[write] = failing(Death())
    with pytest.raises(Death):
        remove(missed)
    missed.sharepoint.at_write.clear()
    fail(missed, ClaimHeld, a_removal())
    missed.clock.advance(CLAIM)

    assert remove(missed) == "removed"
    assert missed.shows_nothing()


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_photo_set_again_after_half_a_removal(missed, write):
    """A photo that is back after half a removal is written in full."""
    missed.sharepoint.at_write[write] = failing(Throttled("Busy."))
    run = fail(missed, Throttled, a_removal())
    missed.sync.record(run, Wait(60, "throttled", "Busy."), attempt=1)
    missed.sharepoint.at_write.clear()
    missed.exchange.upload(OLD)

    assert remove(missed) == "synced"
    assert missed.shows(OLD)


@pytest.mark.parametrize("write", [1, 2, 3, 4])
def test_first_copy_that_died_is_taken_back(office, write):
    """Half a first copy does not stay for ever when its photo goes before anybody finishes it."""

    class Death(BaseException):
        """The process is gone: nobody handles this."""

    office.sharepoint.at_write[write] = failing(Death())
    with pytest.raises(Death):
        bring_up_to_date(office)
    office.exchange.delete()
    office.clock.advance(CLAIM)
    office.sharepoint.at_write.clear()
    miss(office)
    office.clock.advance(SECOND_LOOK_AFTER)

    assert remove(office) == "removed"
    assert office.shows_nothing()


def test_late_removal_writes_nothing(missed):
    """No write of a removal begins once another run has taken the user, and that finishes it."""

    def overtaken() -> None:
        missed.clock.advance(CLAIM)
        missed.change(claim=Claim("another", CLAIM_LENGTH))

    missed.sharepoint.at_write[2] = overtaken
    fail(missed, ClaimLost, a_removal())
    missed.sharepoint.at_write.clear()
    missed.clock.advance(CLAIM)

    assert missed.sharepoint.writes == 1
    assert remove(missed) == "removed"


def test_unanswered_removal_keeps_others_away(missed):
    """A photo that is back is not copied before the last write of a removal can have come."""
    missed.sharepoint.at_write[3] = failing(Unanswered("No answer."))
    run = fail(missed, Unanswered, a_removal())
    missed.sync.record(run, Wait(60, "unanswered", "No answer.", unanswered=True), attempt=1)
    missed.exchange.upload(NEW)

    fail(missed, ClaimHeld)
