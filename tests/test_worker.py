"""A message and what becomes of it, whatever it holds and however its work ends."""

from __future__ import annotations

import json
import logging
import re
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
from shared.state import FAILED, NO_PHOTO, SKIPPED, SYNCED, WAITING, Claim, UserState
from shared.sync import CLAIM_LENGTH
from tests.doubles import ANNE, NOON, Office, failing

OLD, NEW = b"old photo", b"new photo"
UPN = ANNE.user_principal_name


@pytest.fixture
def office() -> Office:
    """Anne has a photo that nobody has copied yet."""
    office = Office()
    office.exchange.upload(OLD)
    return office


def message(**fields: object) -> str:
    return json.dumps({"userId": ANNE.id, "correlationId": "from-the-webhook", **fields})


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
    """Nobody said how long: each wait is longer than the one before, up to a quarter of an hour."""
    office.exchange.error = ServiceDown("Down.")
    office.work_off()
    delays = []
    for _ in range(12):
        delays.append(office.queue.messages[0][1])
        office.work_off_waiting()

    assert delays == sorted(delays)
    assert delays[0] < 10
    assert delays[-1] <= 900


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


# --- the poison queue -----------------------------------------------------------------------


def test_parked_message_is_a_failure(office):
    """What the host gave up on is a failed user whom an admin sees and can replay."""
    outcome = office.worker.park(message(attempt=2).encode())

    assert (outcome.event, outcome.user) == ("parked", ANNE.id)
    assert (office.anne.status, office.anne.attempt) == (FAILED, 2)
    assert office.anne.last_error
    assert office.anne.last_error.code == "poisoned"
    assert office.work_off().event == "synced"


def test_parked_upn_is_kept(office):
    """A UPN is not looked up while parking, since that may be what stopped the app."""
    office.worker.park(UPN.encode())

    [(body, reason)] = office.store.unreadable.values()
    assert body == UPN.encode()
    assert "replay" in reason


def test_parked_nonsense_is_kept(office):
    """A poison message that nobody can understand is kept like any other."""
    assert office.worker.park(b"?").event == "unreadable"
    assert len(office.store.unreadable) == 1


def test_parking_waits_for_storage(office):
    """Parking that cannot be recorded is raised, so that the host tries again."""
    office.store.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.worker.park(ANNE.id.encode())


def test_parking_disturbs_no_copy(office):
    """A user who is being copied at that moment is not marked as failed."""
    claimed = UserState(ANNE.id, claim=Claim("another", NOON + CLAIM_LENGTH))
    office.store.put(claimed)

    office.worker.park(ANNE.id.encode())

    assert office.anne == claimed


# --- log lines ------------------------------------------------------------------------------


@pytest.fixture
def lines(caplog):
    """What the worker logs."""
    caplog.set_level(logging.INFO, "photosync")
    return caplog


def test_one_event_a_message(office, lines):
    """A message leaves one line: the event, the user, the correlation id, calls and time."""
    office.work_off(message())

    [line] = lines.messages
    assert re.fullmatch(
        rf"photo\.synced user={ANNE.id} correlation=from-the-webhook "
        r"graph=2 sharepoint=5 blob=3 ms=\d+",
        line,
    )


def test_wait_is_logged_with_its_reason(office, lines):
    """The line of a wait says until when, and why."""
    office.exchange.error = Throttled("Busy.", retry_after=20)
    office.work_off(message())

    [line] = lines.messages
    assert re.search(r'^photo\.waiting .* retryIn=20\.0 why="Busy\."$', line)


@pytest.mark.parametrize("body", [UPN, "bert@contoso.com", '{"userId": "cleo@contoso.com", "x'])
def test_log_names_no_person(office, lines, body):
    """Nobody's address and nothing of a message gets into the log: object ids only."""
    office.work_off(body)
    office.exchange.error = Throttled("Busy.")
    office.work_off(body)
    office.worker.park(body.encode())

    [name] = re.findall(r"\w+@", body)
    assert len(lines.messages) == 3
    assert [line for line in lines.messages if f"user={name}" in line or "cleo" in line] == []


def test_parking_is_an_error_line(office, lines):
    """Parking is logged as an error, so that an alert can watch for it."""
    office.worker.park(message().encode())

    [record] = lines.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == f"photo.parked user={ANNE.id} correlation=from-the-webhook"


def test_parked_nonsense_is_logged(office, lines):
    """A poison message that is set aside leaves a line, too."""
    office.worker.park(b"?")

    assert lines.messages == ["photo.unreadable user=- correlation=correlation-2"]
