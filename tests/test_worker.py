"""A message and what becomes of it, whatever it holds and however its work ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import (
    AccessDenied,
    Conflict,
    NoMailbox,
    NoProfile,
    OutOfScope,
    PhotoRefused,
    ServiceDown,
    SettingsError,
    Throttled,
    Unanswered,
)
from shared.fates import GIVE_UP_AFTER
from shared.http import LATE_WRITE
from shared.run import Policy
from shared.state import FAILED, NO_PHOTO, REMOVED, SKIPPED, SYNCED, WAITING, Claim, UserState
from shared.sync import CLAIM_LENGTH
from tests.doubles import ANNE, NOON, failing
from tests.running import NEW, OLD, message

UPN = ANNE.user_principal_name


@pytest.mark.parametrize("body", [ANNE.id, ANNE.id.upper(), UPN, message(userId=UPN)])
def test_user_by_id_or_upn(office, body):
    """An object id and a UPN name the same user and the same state."""
    outcome = office.work_off(body)

    assert (outcome.event, outcome.user) == ("synced", ANNE.id)
    assert office.shows(OLD)
    assert office.anne.status == SYNCED


def test_unchanged_photo(office):
    """A second message about the same photo ends as unchanged."""
    office.work_off()

    assert office.work_off().event == "unchanged"


def test_correlation_id_goes_along(office):
    """The correlation id of the message is the outcome's; one without gets a new one."""
    assert office.work_off(message()).correlation_id == "from-the-webhook"
    assert office.work_off().correlation_id.startswith("correlation-")


@pytest.mark.parametrize("body", [b"", b"anne", b"{", b'{"userId": 1}', b"\xff\xfe"])
def test_unreadable_message_is_kept(office, body):
    """A message nobody can understand is kept as it was, with the reason, and is done."""
    outcome = office.worker.work_off(body)

    assert outcome.event == "unreadable"
    assert list(office.store.unreadable.values()) == [(body, outcome.detail)]
    assert office.store.blobs == {}


def test_unreadable_messages_of_one_moment(office):
    """Two unreadable messages of the same second are both kept."""
    office.work_off("?")
    office.work_off("??")

    assert len(office.store.unreadable) == 2


def test_unknown_upn_is_kept(office):
    """A UPN that nobody has, has no state: the message is kept with the reason."""
    outcome = office.work_off("bert@contoso.com")

    assert outcome.event == "unreadable"
    assert outcome.detail == "Microsoft Graph knows no such user."
    assert office.store.blobs == {}


def test_upn_waits_for_the_directory(office):
    """While Graph cannot say who a UPN is, the message waits under that UPN."""
    office.exchange.error = Throttled("Busy.", retry_after=20)

    assert office.work_off(UPN).event == "waiting"
    office.exchange.error = None
    assert office.work_off_waiting().event == "synced"
    assert office.shows(OLD)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NoMailbox("No mailbox."), SKIPPED),
        (NoProfile("No profile."), SKIPPED),
        (OutOfScope("A guest."), SKIPPED),
        (AccessDenied("No role."), FAILED),
        (PhotoRefused("No image."), FAILED),
    ],
)
def test_final_ends(office, error, status):
    """What waiting cannot mend ends the message; the state says what it was, and why."""
    office.sharepoint.plan_error = error

    outcome = office.work_off()

    assert (outcome.event, outcome.detail) == (status, str(error))
    assert (office.anne.status, office.anne.detail) == (status, str(error))
    assert office.anne.claim is None
    assert office.queue.messages == []


def test_no_photo(office):
    """A user without a photo is no-photo."""
    office.exchange.delete()

    assert office.work_off().event == NO_PHOTO
    assert office.anne.status == NO_PHOTO


def test_wait_is_a_new_message(office):
    """A message that must wait is sent again, one attempt on, and else as it was."""
    office.exchange.error = Throttled("Busy.", retry_after=60)

    outcome = office.work_off(message(force=True, reason="sweep", attempt=3))

    [(again, delay)] = office.queue.messages
    assert again == {
        "userId": ANNE.id,
        "reason": "sweep",
        "force": True,
        "attempt": 4,
        "firstQueuedAt": NOON.isoformat(),
        "correlationId": "from-the-webhook",
    }
    assert outcome.event == "waiting"
    assert delay == outcome.retry_in_seconds >= 60


def test_first_queued_is_kept(office):
    """However often a message waits, it remembers when it was first queued."""
    office.exchange.error = Throttled("Busy.")
    office.work_off()
    office.work_off_waiting()

    [(again, _)] = office.queue.messages
    assert again["firstQueuedAt"] == NOON.isoformat()
    assert again["attempt"] == 3


def test_waits_grow(office):
    """Nobody said how long: each wait is longer than the one before, up to six hours."""
    office.exchange.error = ServiceDown("Down.")
    office.work_off()
    delays = []
    for _ in range(12):
        delays.append(office.queue.messages[0][1])
        office.work_off_waiting()

    assert delays == sorted(delays)
    assert delays[0] < 10
    assert delays[-1] <= 6 * 3600


def test_hour_of_throttling_ends_right(office):
    """After an hour of throttling the photo is copied by the message that waited."""
    office.exchange.error = Throttled("Busy.", retry_after=30)
    office.work_off()
    while office.clock.now < NOON + timedelta(hours=1):
        assert office.work_off_waiting().event == "waiting"
    office.exchange.error = None

    assert office.work_off_waiting().event == "synced"
    assert office.shows(OLD)


def test_day_of_waiting_is_given_up(office):
    """A message that has waited for a day is given up, with the reason, as failed."""
    office.exchange.error = ServiceDown("Graph is down.")
    first = (NOON - GIVE_UP_AFTER).isoformat()

    outcome = office.work_off(message(firstQueuedAt=first))

    assert outcome.event == FAILED
    assert office.anne.status == FAILED
    assert office.anne.last_error
    assert office.anne.last_error.code == "gave-up"
    assert "Graph is down." in office.anne.detail
    assert office.queue.messages == []


def test_almost_a_day_of_waiting_goes_on(office):
    """Up to a day a message waits on."""
    office.exchange.error = ServiceDown("Graph is down.")
    first = (NOON - GIVE_UP_AFTER + timedelta(seconds=1)).isoformat()

    assert office.work_off(message(firstQueuedAt=first)).event == "waiting"


def test_claimed_user_waits(office):
    """A message for a user whom another run copies waits, and finds the work done later."""
    office.store.put(UserState(ANNE.id, claim=Claim("another", NOON + timedelta(seconds=1))))

    assert office.work_off().event == "waiting"
    assert office.work_off_waiting().event == "synced"


def test_failure_between_two_files(office):
    """A copy that fails midway is finished by the message that waited."""
    office.work_off()
    office.exchange.upload(NEW)
    office.sharepoint.at_write[2] = failing(Throttled("Busy."))

    assert office.work_off().event == WAITING
    assert office.anne.status == WAITING
    office.sharepoint.at_write.clear()
    assert office.work_off_waiting().event == "synced"
    assert office.shows(NEW)


def test_unanswered_write_delays_the_next_run(office):
    """After a write without an answer nobody copies until it can no longer be carried out."""
    office.sharepoint.at_write[1] = failing(Unanswered("No answer."))
    office.work_off()
    office.sharepoint.at_write.clear()

    events: list[str] = []
    while not events or events[-1] == "waiting":
        events.append(office.work_off_waiting().event)

    assert events[0] == "waiting"
    assert events[-1] == "synced"
    assert office.clock.now >= NOON + LATE_WRITE


def test_end_that_cannot_be_recorded_waits(office):
    """An end that could not be written down is found anew by the message that waits."""
    office.sharepoint.plan_error = AccessDenied("No role.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))

    assert office.work_off().event == "waiting"
    office.exchange.after_copy = lambda: None
    office.store.error = None
    office.clock.advance(CLAIM_LENGTH)
    assert office.work_off_waiting().event == FAILED
    assert office.anne.status == FAILED


def test_wait_needs_no_state(office):
    """A message waits even when its wait cannot be written down."""
    office.sharepoint.plan_error = Throttled("Busy.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", Conflict("Overtaken."))

    assert office.work_off().event == "waiting"
    assert len(office.queue.messages) == 1


def test_nothing_is_lost_when_the_queue_is_down(office):
    """A message that cannot be sent again is raised, so that the host keeps it."""
    office.exchange.error = Throttled("Busy.")
    office.queue.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.work_off()


def test_bug_is_raised_and_gives_the_claim_back(office):
    """What nobody foresaw is raised for the host to try again, and stands in nobody's way."""
    office.work_off()
    office.exchange.upload(NEW)
    office.sharepoint.at_write[2] = failing(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        office.work_off()

    assert (office.anne.status, office.anne.claim, office.anne.sha256) == (FAILED, None, "")
    assert "ZeroDivisionError" in office.anne.detail
    office.sharepoint.at_write.clear()
    assert office.work_off().event == "synced"
    assert office.shows(NEW)


def test_bug_is_raised_when_storage_is_down_too(office):
    """The bug is what the host hears of, not that it could not be recorded."""
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))
    office.sharepoint.plan_error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        office.work_off()


@pytest.mark.parametrize("body", [ANNE.id, UPN])
def test_bad_settings_are_raised(office, body):
    """Bad settings spoil no user's state: the host keeps the message for when they are mended."""
    office.exchange.error = SettingsError("CLIENT_ID is missing.")

    with pytest.raises(SettingsError):
        office.work_off(body)

    assert office.store.blobs == {}


def test_removal_is_a_reason(office):
    """A message with the reason removal takes the picture of a missed photo back."""
    office.work_off()
    office.exchange.delete()
    assert office.work_off().event == NO_PHOTO
    office.clock.advance(timedelta(minutes=10))

    assert office.work_off(message(reason="replay")).event == NO_PHOTO
    assert office.work_off(message(reason="removal")).event == REMOVED
    assert office.shows_nothing()


def test_removal_that_waits_stays_one(office):
    """A removal that must wait is one still when its time has come."""
    office.work_off()
    office.exchange.delete()
    office.work_off()
    office.clock.advance(timedelta(minutes=10))
    office.sharepoint.at_write[2] = failing(Throttled("Busy."))
    assert office.work_off(message(reason="removal")).event == "waiting"
    office.sharepoint.at_write.clear()

    assert office.work_off_waiting().event == REMOVED
    assert office.shows_nothing()


def test_dry_run_ends_as_skipped(office):
    """In a dry run a message ends as skipped and says what would have been written."""
    office.policy = Policy(dry_run=True)

    outcome = office.work_off()

    assert (outcome.event, office.anne.reason) == (SKIPPED, "dry-run")
    assert outcome.detail.startswith("DRY_RUN is on; it would upload")
