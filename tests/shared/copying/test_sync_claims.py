"""Of several runs over one user one writes at a time, and a death leaves nothing wrong."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH, FREE, HeldClaim
from shared.errors import (
    ClaimHeld,
    ClaimLost,
    Conflict,
)
from shared.microsoft365.http import LATE_WRITE
from shared.pictures.sizes import SUFFIXES
from shared.storage.user_state import Claim, UserState
from shared.telemetry import calls
from tests.doubles.office import ANNE, failing
from tests.shared.copying.runs import CLAIM, NEW, OLD, TICK, a_run, bring_up_to_date, fail


def test_live_claim_stops_a_run(synced):
    """While another run copies, nothing is read from Exchange but the etag, and nothing written."""
    synced.exchange.upload(NEW)
    synced.change(claim=Claim("another", CLAIM_LENGTH))
    synced.clock.advance(CLAIM - TICK)

    run = fail(synced, ClaimHeld)

    assert run.claim is None
    assert synced.anne.claim.by == "another"


def test_expired_claim_is_taken_over(synced):
    """The claim of a run that died holds until it expires and not a moment longer."""
    synced.exchange.upload(NEW)
    synced.change(claim=Claim("another", CLAIM_LENGTH))
    synced.clock.advance(CLAIM)

    assert bring_up_to_date(synced) == "synced"
    assert synced.anne.claim is None


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
def test_death_leaves_files_in_doubt(synced, upload):
    """After a run that died neither its etag nor its hash is believed: all is written again."""
    synced.change(claim=Claim("another", 0.0))
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.writes == 4


def test_claim_is_seen_by_others_during_the_copy(office):
    """While the bytes are read the state carries the run's claim, a short one."""
    seen = []
    office.exchange.after_copy = lambda: seen.append(office.anne.claim)

    bring_up_to_date(office)

    assert seen == [Claim("this-run", CLAIM_LENGTH, left=CLAIM_LENGTH + 1)]


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
        office.store.put(UserState(ANNE.id, claim=Claim("another", CLAIM_LENGTH)))
        return stored

    office.store.read = read_and_be_overtaken
    run = fail(office, Conflict)

    assert run.claim is None
    assert office.sharepoint.writes == before
    assert office.anne.claim == Claim("another", CLAIM_LENGTH, left=CLAIM_LENGTH + 1)


def test_result_of_an_overtaken_run_is_refused(office):
    """A run whose claim another one has taken over cannot write its result."""
    overtaken = UserState(ANNE.id, detail="by another")
    office.sharepoint.at_write[4] = lambda: office.store.put(overtaken)

    fail(office, Conflict)

    assert office.anne == overtaken


def test_late_run_writes_nothing(office):
    """Who wakes up when another run has taken the user writes no file more."""

    def overtaken() -> None:
        office.clock.advance(CLAIM)
        office.change(claim=Claim("another", CLAIM_LENGTH))

    office.sharepoint.at_write[2] = overtaken

    fail(office, ClaimLost)

    assert office.sharepoint.writes == 1
    assert office.anne.claim.by == "another"


def test_claim_that_runs_short_is_renewed(office):
    """A write that the claim does not cover any more waits for a new one, and others with it."""
    seen = []
    office.sharepoint.at_write[2] = lambda: office.clock.advance(timedelta(seconds=FREE) + TICK)
    office.sharepoint.at_write[3] = lambda: seen.append(office.anne.claim)

    with calls.noted() as made:
        assert bring_up_to_date(office) == "synced"

    assert seen == [Claim("this-run", CLAIM_LENGTH, left=CLAIM_LENGTH + 1)]
    assert made.count("blob") == 5


def test_last_moment_renews_nothing(office):
    """A write may begin as long as a whole request fits into the claim."""
    office.sharepoint.at_write[1] = lambda: office.clock.advance(timedelta(seconds=FREE))

    with calls.noted() as made:
        assert bring_up_to_date(office) == "synced"

    assert made.count("blob") == 4


def test_claim_that_ran_out_unseen_is_renewed(office):
    """Whoever stood still for hours and finds that nobody came goes on."""
    office.sharepoint.at_write[2] = lambda: office.clock.advance(timedelta(hours=1))

    assert bring_up_to_date(office) == "synced"
    assert office.shows(OLD)


def test_slow_renewal_covers_nothing(office):
    """A renewal is as old as its sending: nothing is written by one that took too long."""
    replace = office.store.replace

    def slowly(state, *, version):
        office.clock.advance(timedelta(seconds=FREE) + TICK)
        return replace(state, version=version)

    def storage_is_slow() -> None:
        office.clock.advance(CLAIM)
        office.store.replace = slowly

    office.sharepoint.at_write[2] = storage_is_slow

    fail(office, ClaimLost)

    assert office.sharepoint.writes == 1


def test_claim_is_renewed_once_for_three_files(office):
    """Uploads run at once: one of their threads renews, and the others go by that."""
    run = a_run()
    run.known = office.store.read(ANNE.id)
    claim = HeldClaim(office.store, run, office.clock.ticks)
    claim.take()
    office.clock.advance(CLAIM)
    meet = threading.Barrier(3)

    def write(_: int) -> None:
        meet.wait()
        claim.before_write()

    with ThreadPoolExecutor(3) as pool, calls.noted() as made:
        for each in [pool.submit(contextvars.copy_context().run, write, n) for n in range(3)]:
            each.result()

    assert made.count("blob") == 1


def test_message_of_a_dead_worker_waits_for_its_claim(office):
    """The picture of a run whose worker died is right within 90 seconds of the death."""
    office.sharepoint.at_write[2] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        office.work_off()
    office.sharepoint.at_write.clear()
    died = office.clock.now
    office.clock.advance(timedelta(seconds=30))

    outcome = office.work_off(redelivered=True)
    while outcome.event == "waiting":
        outcome = office.work_off_waiting()

    assert office.shows(OLD)
    assert office.clock.now - died <= timedelta(seconds=CLAIM_LENGTH + 2)


@pytest.mark.parametrize("seconds", [300.0, 80.0, LATE_WRITE])
def test_claim_of_another_version_counts(synced, seconds):
    """Versions of the app run side by side for a while: a claim is as long as it says itself."""
    synced.exchange.upload(NEW)
    synced.change(claim=Claim("another", seconds))
    synced.clock.advance(timedelta(seconds=seconds))
    fail(synced, ClaimHeld)
    synced.clock.advance(timedelta(seconds=1))

    assert bring_up_to_date(synced) == "synced"


def test_place_is_written_down_before_the_files(office):
    """Before the first file is touched the state says where it will be, still under the claim."""
    seen = []
    office.sharepoint.at_write[1] = lambda: seen.append(office.anne)

    bring_up_to_date(office)

    [claimed] = seen
    assert claimed.picture_url == office.sharepoint.shown(ANNE) != ""
    assert claimed.claim == Claim("this-run", CLAIM_LENGTH, left=CLAIM_LENGTH + 1)


def test_known_place_costs_no_write(synced):
    """A user whose picture stays where it is costs three calls to the store."""
    synced.exchange.upload(NEW)

    with calls.noted() as made:
        bring_up_to_date(synced)

    assert made.count("blob") == 3


def test_run_that_lost_its_result_writes_again(office):
    """
    Somebody deletes the state in the middle of a copy, and another run copies a newer photo.

    Then the files are of two photos, and the state of the other run knows nothing of it: whoever
    wrote without being able to say so writes once more.
    """

    def deleted_and_overtaken() -> None:
        office.sharepoint.at_write.clear()
        del office.store.blobs[ANNE.id]
        office.exchange.upload(NEW)
        assert bring_up_to_date(office) == "synced"

    office.sharepoint.at_write[2] = deleted_and_overtaken
    assert office.work_off().event == "waiting"
    assert not office.shows(NEW)

    assert office.work_off_waiting().event == "synced"
    assert office.shows(NEW)


def test_redelivered_message_writes_again(office):
    """
    The same, and the run dies: nobody but the host knows that it was there.

    So a message that comes back copies once more, whatever the state of the other run says.
    """

    def deleted_overtaken_and_dead() -> None:
        office.sharepoint.at_write.clear()
        del office.store.blobs[ANNE.id]
        office.exchange.upload(NEW)
        assert bring_up_to_date(office) == "synced"
        # What the dead run had sent is carried out only now.
        office.sharepoint.files[ANNE.user_principal_name][ANNE.id + SUFFIXES[0]] = b"S:" + OLD
        raise KeyboardInterrupt

    office.sharepoint.at_write[2] = deleted_overtaken_and_dead
    with pytest.raises(KeyboardInterrupt):
        office.work_off()
    assert not office.shows(NEW)

    assert office.work_off(redelivered=True).event == "synced"
    assert office.shows(NEW)
