"""How a run that raised is recorded, and what the next run does with that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.errors import (
    AccessDenied,
    ClaimHeld,
    Conflict,
    NoProfile,
    OtherHost,
    PhotoRefused,
    PictureKept,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.messages.disposition import Done, Wait
from shared.microsoft365.http import LATE_WRITE
from shared.storage.user_state import FAILED, SKIPPED, SYNCED, WAITING, Claim, LastError
from shared.telemetry import calls
from tests.doubles.office import ANNE, NOON, failing
from tests.shared.copying.runs import (
    BUSY,
    NEW,
    NO_IMAGE,
    OLD,
    a_run,
    bring_up_to_date,
    fail,
    miss,
    no_image,
)

LOST = Wait(60, "unanswered", "No answer.", unanswered=True)
LOST_FOR_GOOD = Done(FAILED, "gave-up", "Gave up.", unanswered=True)


def test_wait_before_the_claim_writes_nothing(office):
    """An outage before the claim costs no call to the store."""
    office.exchange.error = ServiceDown("Down.")
    run = fail(office, ServiceDown)

    with calls.noted() as made:
        office.sync.record(run, BUSY, attempt=1)

    assert made == []


def test_wait_after_the_claim_is_recorded(synced):
    """A run that waits records why and until when, and releases its claim."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = Throttled("Busy.")
    before = synced.anne
    run = fail(synced, Throttled)

    synced.sync.record(run, BUSY, attempt=3)

    assert synced.anne == replace(
        before,
        status=WAITING,
        reason="throttled",
        detail="Busy.",
        attempt=3,
        next_attempt_at=NOON + timedelta(seconds=60),
    )


def test_interrupted_write_clears_the_hash(synced):
    """Once a file may have been written, the old hash is no longer trusted."""
    synced.exchange.upload(NEW)
    synced.sharepoint.at_write[2] = failing(Throttled("Busy."))

    synced.sync.record(fail(synced, Throttled), BUSY, attempt=1)

    assert (synced.anne.sha256, synced.anne.claim) == ("", None)
    synced.exchange.upload(OLD)
    synced.sharepoint.at_write.clear()
    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(OLD)


@pytest.mark.parametrize("end", [LOST, LOST_FOR_GOOD], ids=["waits", "gave up"])
def test_unanswered_request(synced, end):
    """Until a write without an answer can no longer take effect, no other run may copy."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = Unanswered("No answer.")
    synced.sync.record(fail(synced, Unanswered), end, attempt=1)
    assert synced.anne.claim is None

    synced.sharepoint.plan_error = None
    synced.sharepoint.at_write[2] = failing(Unanswered("No answer."))
    synced.sync.record(fail(synced, Unanswered, a_run(force=True)), end, attempt=1)
    assert synced.anne.claim == Claim("this-run", LATE_WRITE, left=LATE_WRITE + 1)
    synced.clock.advance(timedelta(seconds=LATE_WRITE))
    fail(synced, ClaimHeld)


def test_failure_is_recorded(synced):
    """A failed run records its reason, a code, the time and the photo's etag; success clears it."""
    synced.exchange.upload(NEW)
    synced.change(next_attempt_at=NOON, damage="A file is missing.")
    synced.sharepoint.plan_error = AccessDenied("No role.")

    end = Done(FAILED, "access-denied", "No role.")
    synced.sync.record(fail(synced, AccessDenied), end, attempt=2)

    anne = synced.anne
    assert (anne.status, anne.reason, anne.detail) == (FAILED, "access-denied", "No role.")
    assert (anne.source_etag, anne.attempt, anne.next_attempt_at) == ('W/"2"', 2, None)
    assert anne.last_error == LastError("access-denied", "No role.", NOON)
    assert anne.damage == "A file is missing.", "still to be repaired"
    synced.change(next_attempt_at=NOON)
    synced.sharepoint.plan_error = None
    bring_up_to_date(synced)
    anne = synced.anne
    assert (anne.status, anne.detail, anne.last_error, anne.attempt) == (SYNCED, "", None, 0)
    assert anne.next_attempt_at is None


def test_failure_of_a_photo_that_was_replaced(office):
    """A failure records no etag if the bytes may be another photo's: a sweep checks again."""
    office.recipe = replace(office.recipe, render=no_image)
    office.exchange.after_look = lambda: office.exchange.upload(NEW)
    office.sync.record(fail(office, PhotoRefused), NO_IMAGE, attempt=1)

    assert office.anne.source_etag == ""


def test_skipped_user_has_a_name(office):
    """A user who is not copied is recorded with both names, by which an admin finds them."""
    office.sharepoint.plan_error = NoProfile("No profile.")

    for _ in range(2):
        office.sync.record(fail(office, NoProfile), Done(SKIPPED, "no-profile", "None."), attempt=1)

    assert office.anne.claim is None, "also if the end is the same again"
    names = (office.anne.user_principal_name, office.anne.display_name)
    assert names == ("anne@contoso.com", "Anne Bell")
    assert (office.anne.source_etag, office.anne.picture_url) == ('W/"1"', "")


@pytest.mark.parametrize(
    "error", [PictureKept("Kept."), NoProfile("No profile."), OtherHost("Elsewhere.")]
)
def test_photo_that_returns_behind_another_picture(synced, error):
    """The state no longer says that a photo is shown; our URL stays, to be removed one day."""
    before = synced.anne.picture_url
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = error
    synced.sync.record(fail(synced, type(error)), Done(SKIPPED, error.code, str(error)), attempt=1)
    assert synced.anne.picture_url == before != ""

    synced.exchange.upload(OLD)

    fail(synced, type(error))


def test_url_behind_a_kept_picture(synced):
    """If a person has set another picture, our URL stays recorded, to be removed one day."""
    before = synced.anne.picture_url
    synced.exchange.delete()
    miss(synced)
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = PictureKept("Kept.")

    end = Done(SKIPPED, "picture-kept", "Kept.")
    synced.sync.record(fail(synced, PictureKept), end, attempt=1)

    assert (synced.anne.picture_url, synced.anne.missing_since) == (before, None)
    assert before


def test_first_copy_that_failed_half_way(office):
    """A first copy that fails between two files has recorded the URL."""
    office.sharepoint.at_write[2] = failing(Throttled("Busy."))

    office.sync.record(fail(office, Throttled), BUSY, attempt=1)

    assert office.anne.picture_url.endswith(f"{ANNE.id}_MThumb.jpg")


def test_end_of_a_run_that_saw_no_state(synced):
    """A run that ended before it read the state records its end, and nothing about the photo."""
    synced.change(missing_since=NOON)
    synced.sync.record(a_run(), Done(FAILED, "poisoned", "Stopped."), attempt=1)

    assert synced.anne.status == FAILED
    assert synced.anne.picture_url
    assert (synced.anne.source_etag, synced.anne.missing_since) == ("", NOON)


def test_end_is_not_written_over_newer_state(synced):
    """The store refuses the end of a run if another run has written since."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = AccessDenied("No role.")
    run = fail(synced, AccessDenied)
    synced.change(detail="by another")

    with pytest.raises(Conflict):
        synced.sync.record(run, Done(FAILED, "access-denied", "No role."), attempt=1)

    assert synced.anne.detail == "by another"
