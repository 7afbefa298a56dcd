"""One run over one user: what it does, what it leaves alone, and what it writes down."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import calls
from shared.errors import (
    AccessDenied,
    ClaimHeld,
    ClaimLost,
    Conflict,
    NoPhoto,
    NoProfile,
    OutOfScope,
    PhotoRefused,
    PictureKept,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.fates import Done, Wait
from shared.http import LATE_WRITE, REQUEST_LIMIT
from shared.state import FAILED, NO_PHOTO, SKIPPED, SYNCED, WAITING, Claim, UserState
from shared.sync import CLAIM_LENGTH, Recipe, Run
from tests.doubles import ANNE, NOON, Office, failing, render

OLD, NEW = b"old photo", b"new photo"
TICK = timedelta(milliseconds=1)
BUSY = Wait(60, "throttled", "Busy.")
LOST = Wait(60, "unanswered", "No answer.", unanswered=True)
LOST_FOR_GOOD = Done(FAILED, "gave-up", "Gave up.", unanswered=True)


@pytest.fixture
def office() -> Office:
    """Anne has a photo that nobody has copied yet."""
    office = Office()
    office.exchange.upload(OLD)
    return office


@pytest.fixture
def synced(office: Office) -> Office:
    """Anne's photo has been copied."""
    bring_up_to_date(office)
    office.sharepoint.writes = 0
    return office


def a_run(*, force: bool = False) -> Run:
    return Run(ANNE.id, force, by="this-run")


def bring_up_to_date(office: Office, run: Run | None = None) -> str:
    return office.sync.bring_up_to_date(run or a_run())


def fail(office: Office, error: type[Exception], run: Run | None = None) -> Run:
    run = run or a_run()
    with pytest.raises(error):
        office.sync.bring_up_to_date(run)
    return run


def test_first_photo_is_copied(office):
    """A photo nobody has copied arrives in SharePoint, and the state says how it got there."""
    assert bring_up_to_date(office) == "synced"

    assert office.shows(OLD)
    assert office.anne == UserState(
        ANNE.id,
        ANNE.user_principal_name,
        SYNCED,
        sha256=hashlib.sha256(OLD).hexdigest(),
        source_etag='W/"1"',
        picture_url=office.sharepoint.properties[ANNE.user_principal_name]["PictureURL"],
        sizes="48,72,300",
        recipe=1,
        synced_at=NOON,
        checked_at=NOON,
    )


def test_unchanged_costs_two_calls(synced):
    """A photo with the same etag costs one call to Graph and one to the store."""
    with calls.noted() as made:
        assert bring_up_to_date(synced) == "unchanged"

    assert sorted(made) == ["blob", "graph"]


def test_known_absence_costs_two_calls(synced):
    """A user known to have no photo costs one call to Graph and one to the store, too."""
    synced.exchange.delete()
    synced.sync.record(fail(synced, NoPhoto), Done(NO_PHOTO, "no-photo", NO_PHOTO_WHY), attempt=1)

    with calls.noted() as made:
        run = fail(synced, NoPhoto)
        synced.sync.record(run, Done(NO_PHOTO, "no-photo", NO_PHOTO_WHY), attempt=1)

    assert sorted(made) == ["blob", "graph"]


NO_PHOTO_WHY = "The user has no photo in Exchange."


def test_known_failure_is_not_claimed_again(synced):
    """A refusal that the state tells already needs no claim to be met once more."""
    synced.change(status=FAILED, detail="No consent.")
    synced.exchange.error = AccessDenied("No consent.")

    run = fail(synced, AccessDenied)

    assert run.claim is None


def test_absence_is_looked_for_again_under_the_claim(office):
    """A photo that came after the first look is copied by the same run."""
    office.exchange.delete()
    worker_of_another = office.store.read
    office.store.read = lambda user_id: (office.exchange.upload(NEW), worker_of_another(user_id))[1]

    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_changed_photo_is_copied(synced):
    """Other bytes under another etag are copied over the old ones."""
    synced.exchange.upload(NEW)

    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(NEW)


def test_identical_bytes_are_not_written(synced):
    """Identical bytes uploaded again write nothing to SharePoint and are recognised next time."""
    synced.clock.advance(timedelta(hours=1))
    synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "unchanged"

    assert synced.sharepoint.writes == 0
    assert synced.anne.source_etag == 'W/"2"'
    assert (synced.anne.synced_at, synced.anne.checked_at) == (NOON, NOON + timedelta(hours=1))


def test_force_writes_all_the_same(synced):
    """A forced run copies what is there already."""
    assert bring_up_to_date(synced, a_run(force=True)) == "synced"
    assert synced.sharepoint.writes == 4


@pytest.mark.parametrize(
    "recipe", [Recipe("48,96,240", 1, render), Recipe("48,72,300", 2, render)], ids=["sizes", "way"]
)
def test_other_recipe_writes_again(synced, recipe):
    """Other sizes, or another way of making pictures, make every user's picture anew."""
    synced.recipe = recipe

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.writes == 4


def test_empty_etag_covers_nothing(synced):
    """Two absent etags are not a match: the bytes are compared."""
    synced.change(source_etag="")
    synced.exchange.photos[ANNE.id] = (NEW, "")

    assert bring_up_to_date(synced) == "synced"


def test_photo_that_changes_during_the_copy(office):
    """A photo that changes after its bytes were read is recorded without etag, so it is seen."""
    office.exchange.after_copy = lambda: office.exchange.upload(NEW)

    bring_up_to_date(office)

    assert office.anne.source_etag == ""
    assert bring_up_to_date(office) == "synced"
    assert office.shows(NEW)


def test_etag_that_returns_with_its_photo(office):
    """Bytes that came between two looks at another photo's etag are not taken for that photo."""
    before = office.exchange.photos[ANNE.id]
    office.exchange.after_look = lambda: office.exchange.upload(NEW)
    bring_up_to_date(office)
    assert office.shows(NEW)
    office.exchange.after_look = lambda: None
    office.exchange.photos[ANNE.id] = before

    assert bring_up_to_date(office) == "synced"
    assert office.shows(OLD)


def test_etag_unknown_after_the_bytes(synced):
    """An etag that could not be read again is not believed, and the next run compares bytes."""
    synced.exchange.upload(OLD)
    synced.exchange.etag_after = False

    assert [bring_up_to_date(synced) for _ in range(2)] == ["unchanged"] * 2

    assert synced.anne.source_etag == ""
    assert synced.sharepoint.writes == 0


def test_live_claim_stops_a_run(synced):
    """While another run copies, nothing is read from Exchange but the etag, and nothing written."""
    synced.exchange.upload(NEW)
    claim = Claim("another", NOON + CLAIM_LENGTH)
    synced.change(claim=claim)
    synced.clock.advance(CLAIM_LENGTH - TICK)

    run = fail(synced, ClaimHeld)

    assert run.claim is None
    assert synced.anne.claim == claim


def test_expired_claim_is_taken_over(synced):
    """The claim of a run that died holds until it expires and not a moment longer."""
    synced.exchange.upload(NEW)
    synced.change(claim=Claim("another", NOON + CLAIM_LENGTH))
    synced.clock.advance(CLAIM_LENGTH)

    assert bring_up_to_date(synced) == "synced"
    assert synced.anne.claim is None


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
def test_death_leaves_files_in_doubt(synced, upload):
    """After a run that died neither its etag nor its hash is believed: all is written again."""
    synced.change(claim=Claim("another", NOON))
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.writes == 4


def test_claim_is_seen_by_others_during_the_copy(office):
    """While the bytes are read the state carries the run's claim for five minutes."""
    seen = []
    office.exchange.after_copy = lambda: seen.append(office.anne.claim)

    bring_up_to_date(office)

    assert seen == [Claim("this-run", NOON + timedelta(minutes=5))]


@pytest.mark.parametrize("known", [False, True], ids=["first state", "later state"])
def test_lost_race_for_the_claim(office, known):
    """Of two runs that read the same version only the one that writes first goes on."""
    if known:
        bring_up_to_date(office)
        office.exchange.upload(NEW)
    before = office.sharepoint.writes
    read = office.store.read

    def read_and_be_overtaken(user_id):
        stored = read(user_id)
        office.store.put(UserState(ANNE.id, claim=Claim("another", NOON + CLAIM_LENGTH)))
        return stored

    office.store.read = read_and_be_overtaken
    run = fail(office, Conflict)

    assert run.claim is None
    assert office.sharepoint.writes == before
    assert office.anne.claim == Claim("another", NOON + CLAIM_LENGTH)


def test_result_of_an_overtaken_run_is_refused(office):
    """A run whose claim another one has taken over cannot write its result."""
    overtaken = UserState(ANNE.id, detail="by another")
    office.sharepoint.at_write[4] = lambda: office.store.put(overtaken)

    fail(office, Conflict)

    assert office.anne == overtaken


def test_late_run_writes_nothing(office):
    """No write begins when less of the claim is left than a request may take."""
    late = CLAIM_LENGTH - REQUEST_LIMIT + TICK
    office.sharepoint.at_write[2] = lambda: office.clock.advance(late)

    fail(office, ClaimLost)

    assert office.sharepoint.writes == 1


def test_last_moment_still_writes(office):
    """A write may begin as long as a whole request fits into the claim."""
    office.sharepoint.at_write[1] = lambda: office.clock.advance(CLAIM_LENGTH - REQUEST_LIMIT)

    assert bring_up_to_date(office) == "synced"


def test_user_out_of_scope_is_not_copied(office):
    """Somebody we do not look after gets no picture."""

    def refuse(user):
        raise OutOfScope("The user is a guest.")

    office.check_scope = refuse
    fail(office, OutOfScope)

    assert office.sharepoint.writes == 0


def test_unsound_photo_touches_nothing(office):
    """A photo that cannot be rendered leaves SharePoint and what we know of it alone."""

    def refuse(photo):
        raise PhotoRefused("This is no image.")

    office.recipe = replace(office.recipe, render=refuse)
    run = fail(office, PhotoRefused)

    assert (office.sharepoint.writes, run.files_touched) == (0, False)


# --- recording how a run ended --------------------------------------------------------------


@pytest.mark.parametrize("error", [Throttled("Busy."), ServiceDown("Down.")])
def test_wait_before_the_claim_writes_nothing(office, error):
    """An outage before the claim costs no call to the store."""
    office.exchange.error = error
    run = fail(office, type(error))

    with calls.noted() as made:
        office.sync.record(run, BUSY, attempt=1)

    assert made == []


def test_wait_after_the_claim_is_recorded(synced):
    """A run that waits says since when, why and until when, and gives its claim back."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = Throttled("Busy.")
    before = synced.anne
    run = fail(synced, Throttled)

    synced.sync.record(run, BUSY, attempt=3)

    assert synced.anne == replace(
        before,
        status=WAITING,
        detail="Busy.",
        attempt=3,
        next_attempt_at=NOON + timedelta(seconds=60),
    )


def test_files_in_doubt_lose_their_hash(synced):
    """Once a file may have been written the old hash is no longer believed."""
    synced.exchange.upload(NEW)
    synced.sharepoint.at_write[2] = failing(Throttled("Busy."))

    synced.sync.record(fail(synced, Throttled), BUSY, attempt=1)

    assert (synced.anne.sha256, synced.anne.claim) == ("", None)
    synced.exchange.upload(OLD)
    synced.sharepoint.at_write.clear()
    assert bring_up_to_date(synced) == "synced"
    assert synced.shows(OLD)


@pytest.mark.parametrize("end", [LOST, LOST_FOR_GOOD], ids=["waits", "gave up"])
def test_unanswered_write_keeps_others_away(synced, end):
    """A write without an answer may come late: nobody else may copy until that is past."""
    synced.exchange.upload(NEW)
    synced.sharepoint.at_write[2] = failing(Unanswered("No answer."))

    synced.sync.record(fail(synced, Unanswered), end, attempt=1)

    assert synced.anne.claim == Claim("this-run", NOON + LATE_WRITE)
    synced.clock.advance(LATE_WRITE - TICK)
    fail(synced, ClaimHeld)


@pytest.mark.parametrize("end", [LOST, LOST_FOR_GOOD], ids=["waits", "gave up"])
def test_unanswered_read_keeps_nobody_away(synced, end):
    """A call without an answer that writes no file can do no harm when it comes late."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = Unanswered("No answer.")

    synced.sync.record(fail(synced, Unanswered), end, attempt=1)

    assert synced.anne.claim is None


def test_failure_is_recorded(synced):
    """A failed run leaves its reason, a code and the time, and no etag that would cover it."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = AccessDenied("No role.")

    synced.sync.record(
        fail(synced, AccessDenied), Done(FAILED, "access-denied", "No role."), attempt=2
    )

    anne = synced.anne
    assert (anne.status, anne.detail, anne.source_etag) == (FAILED, "No role.", "")
    assert anne.last_error
    assert (anne.last_error.code, anne.last_error.message) == ("access-denied", "No role.")
    assert (anne.last_error.at, anne.attempt, anne.next_attempt_at) == (NOON, 2, None)


def test_absence_is_recorded(synced):
    """A user whose photo is gone is no-photo, without an error, and keeps the files' hash."""
    before = synced.anne
    synced.exchange.delete()

    synced.sync.record(fail(synced, NoPhoto), Done(NO_PHOTO, "no-photo", NO_PHOTO_WHY), attempt=1)

    assert synced.anne == replace(
        before, status=NO_PHOTO, detail=NO_PHOTO_WHY, source_etag="", attempt=1
    )


@pytest.mark.parametrize("error", [PictureKept("Kept."), NoProfile("No profile.")])
def test_other_picture_is_in_doubt(synced, error):
    """Where SharePoint shows something else, a photo that comes back is not taken for shown."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = error
    synced.sync.record(fail(synced, type(error)), Done(SKIPPED, error.code, str(error)), attempt=1)

    synced.exchange.upload(OLD)

    fail(synced, type(error))


def test_success_clears_an_old_failure(synced):
    """After a success nothing of the failure before it is left."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = AccessDenied("No role.")
    synced.sync.record(fail(synced, AccessDenied), Done(FAILED, "x", "No role."), attempt=2)
    synced.sharepoint.plan_error = None

    bring_up_to_date(synced)

    anne = synced.anne
    assert (anne.status, anne.detail, anne.last_error, anne.attempt) == (SYNCED, "", None, 0)


def test_claim_of_another_run_is_left_alone(synced):
    """A run that is given up for good does not disturb one that is copying."""
    synced.change(claim=Claim("another", NOON + CLAIM_LENGTH))
    before = synced.anne

    synced.sync.record(a_run(), Done(FAILED, "poisoned", "Stopped."), attempt=1)

    assert synced.anne == before


def test_end_of_a_run_that_saw_no_state(synced):
    """A run that ended before it read the state reads it to record its end."""
    synced.sync.record(a_run(), Done(FAILED, "poisoned", "Stopped."), attempt=1)

    assert synced.anne.status == FAILED
    assert synced.anne.picture_url


def test_end_is_not_written_over_newer_state(synced):
    """How an overtaken run ended is refused by the store."""
    synced.exchange.upload(NEW)
    synced.sharepoint.plan_error = AccessDenied("No role.")
    run = fail(synced, AccessDenied)
    synced.change(detail="by another")

    with pytest.raises(Conflict):
        synced.sync.record(run, Done(FAILED, "access-denied", "No role."), attempt=1)

    assert synced.anne.detail == "by another"
