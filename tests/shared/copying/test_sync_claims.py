"""Of several runs for one user, only one writes at a time, and a death leaves nothing wrong."""

from __future__ import annotations

import contextlib
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH, FREE, HeldClaim
from shared.errors import ClaimHeld, ClaimLost, Conflict
from shared.microsoft365.http import LATE_WRITE
from shared.pictures.sizes import SUFFIXES
from shared.storage.user_state import Claim, UserState
from shared.telemetry import calls
from tests.doubles.office import ANNE, failing
from tests.shared.copying.runs import CLAIM, NEW, OLD, TICK, a_run, bring_up_to_date, fail, message


@pytest.mark.parametrize("upload", [False, True], ids=["same etag", "same bytes"])
def test_death_leaves_files_in_doubt(synced, upload):
    """After a run that died, neither etag nor hash is trusted: everything is written again."""
    synced.change(claim=Claim("another", 0.0))
    if upload:
        synced.exchange.upload(OLD)

    assert bring_up_to_date(synced) == "synced"
    assert synced.sharepoint.writes == 4


@pytest.mark.parametrize("known", [False, True], ids=["first state", "later state"])
def test_lost_race_for_the_claim(office, known):
    """Of two runs that read the same version, only the one that writes first continues."""
    if known:
        bring_up_to_date(office)
        office.exchange.upload(NEW)
    before = office.sharepoint.writes
    others = UserState(ANNE.id, claim=Claim("another", CLAIM_LENGTH, left=CLAIM_LENGTH + 1))
    office.store.after_read = lambda: office.store.put(others)
    run = fail(office, Conflict)

    assert run.claim is None
    assert office.sharepoint.writes == before
    assert office.anne == others


@pytest.mark.parametrize(
    ("more", "written"), [(TICK, 5), (timedelta(0), 4)], ids=["too old", "just covers a request"]
)
def test_claim_is_renewed(office, more, written):
    """A claim that no longer covers a whole request is renewed before it, once for several."""
    seen = []
    office.sharepoint.at_write[2] = lambda: office.clock.advance(timedelta(seconds=FREE) + more)
    office.sharepoint.at_write[3] = lambda: seen.append(office.anne.claim)

    with calls.noted() as made:
        assert bring_up_to_date(office) == "synced"

    age = 0 if written == 5 else FREE
    assert seen == [Claim("this-run", CLAIM_LENGTH, left=CLAIM_LENGTH + 1 - age)]
    assert made.count("blob") == written


def test_slow_renewal(office):
    """A renewal counts from when it was sent: one that took too long covers no write."""
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
    """Of concurrent uploads, one renews the claim for all."""
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
    """If a worker dies, the picture is right within 90 seconds."""
    office.sharepoint.at_write[2] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        office.process()
    office.sharepoint.at_write.clear()
    died = office.clock.now
    office.clock.advance(timedelta(seconds=30))

    outcome = office.process(redelivered=True)
    while outcome.event == "waiting":
        outcome = office.process_waiting()

    assert office.shows(OLD)
    assert office.clock.now - died <= timedelta(seconds=CLAIM_LENGTH + 2)


@pytest.mark.parametrize("seconds", [300.0, CLAIM_LENGTH, LATE_WRITE])
def test_live_claim_stops_a_run(synced, seconds):
    """Another run's claim holds for exactly the length it says, whichever version wrote it."""
    synced.exchange.upload(NEW)
    synced.change(claim=Claim("another", seconds))
    synced.clock.advance(timedelta(seconds=seconds + 1) - TICK)
    run = a_run()
    with pytest.raises(ClaimHeld, match="^Another run is copying this user right now.$"):
        bring_up_to_date(synced, run)
    assert (run.claim, synced.anne.claim.by) == (None, "another")
    synced.clock.advance(TICK)

    assert bring_up_to_date(synced) == "synced"
    assert synced.anne.claim is None


def test_state_during_the_copy(office):
    """From the bytes on, the state has the claim, and from the first file on the picture's URL."""
    seen = []
    office.exchange.after_copy = lambda: seen.append(office.anne)
    office.sharepoint.at_write[1] = lambda: seen.append(office.anne)

    bring_up_to_date(office)

    assert [each.picture_url for each in seen] == ["", office.sharepoint.shown(ANNE)]
    claim = Claim("this-run", CLAIM_LENGTH, left=CLAIM_LENGTH + 1)
    assert [each.claim for each in seen] == [claim] * 2


@pytest.mark.parametrize("dies", [False, True], ids=["lost its result", "died"])
def test_deleted_state(office, dies):
    """
    A person deletes the state during a copy, and another run copies a newer photo.

    Then the files are of two photos, which the other run's state does not say. So a run that could
    not record its writes writes once more. If it died, only the host knows that it existed: a
    redelivered message copies once more, whatever the state says.
    """

    # A replay would check the files anyway.
    changed = message(reason="notification")

    def deleted_and_overtaken() -> None:
        office.sharepoint.at_write.clear()
        del office.store.blobs[ANNE.id]
        office.exchange.upload(NEW)
        assert bring_up_to_date(office) == "synced"
        if dies:
            # A request of the dead run takes effect only now.
            office.sharepoint.files[ANNE.user_principal_name][ANNE.id + SUFFIXES[0]] = b"S:" + OLD
            raise KeyboardInterrupt

    office.sharepoint.at_write[2] = deleted_and_overtaken
    with pytest.raises(KeyboardInterrupt) if dies else contextlib.nullcontext():
        assert office.process(changed).event == "waiting"
    assert not office.shows(NEW)

    again = office.process(changed, redelivered=True) if dies else office.process_waiting()
    assert again.event == "synced"
    assert office.shows(NEW)
