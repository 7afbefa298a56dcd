"""A message and how it ends, whatever it contains and whatever its work raises."""

from __future__ import annotations

import pytest

from shared.budget.work import Kind, current
from shared.copying.held_claim import CLAIM_LENGTH
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
)
from shared.storage.user_state import FAILED, SKIPPED, SYNCED, Claim, UserState
from tests.doubles.office import ANNE, NOON, failing
from tests.shared.copying.runs import CLAIM, NEW, OLD, ORDER, message, unknown

UPN = ANNE.user_principal_name
STOPPED = (
    "The app stopped every time it worked on this message. "
    "Look for the exception in the log, then replay the user."
)


@pytest.mark.parametrize("body", [ANNE.id, ANNE.id.upper(), UPN, message(userId=UPN)])
def test_user_by_id_or_upn(office, body):
    """An object id and a UPN name the same user and the same state."""
    outcome = office.process(body)

    assert (outcome.event, outcome.user, outcome.seconds) == ("synced", ANNE.id, 0)
    assert office.shows(OLD)
    assert office.anne.status == SYNCED


def test_correlation_id_goes_along(office):
    """The outcome has the message's correlation id, or a new one if it has none."""
    assert office.process(message()).correlation_id == "from-the-webhook"
    assert office.process().correlation_id.startswith("correlation-")


def test_unreadable_messages_are_kept(office):
    """A message that cannot be parsed is kept unchanged, with the reason; so is the next one."""
    bodies = [b"", b"anne", b"{", b'{"userId": 1}', b"\xff\xfe"]
    outcomes = [office.worker.process(body) for body in bodies]

    assert [outcome.event for outcome in outcomes] == ["unreadable"] * len(bodies)
    reasons = [outcome.detail for outcome in outcomes]
    assert list(office.store.unreadable.values()) == list(zip(bodies, reasons, strict=True))
    assert office.store.blobs == {}


def test_unknown_upn_is_kept(office):
    """A UPN that no user has gets no state: the message is kept with the reason."""
    outcome = office.process("bert@contoso.com")

    assert outcome.event == "unreadable"
    assert outcome.detail == "Microsoft Graph has no such user."
    assert office.store.blobs == {}


def test_name_of_a_user_without_a_mailbox(office):
    """Graph is asked for a name only if a photo is missing: other ends cost one call."""
    office.exchange.photo_etag = lambda user: failing(NoMailbox("No mailbox."))()
    office.exchange.user = lambda user: pytest.fail("Graph was asked.")

    assert office.process().event == SKIPPED


def test_unknown_id_leaves_nothing(office):
    """For an id that Graph does not know, and that has no state, nothing is stored."""
    office.exchange.photo_etag = unknown
    outcome = office.process()

    assert (outcome.event, outcome.detail) == (SKIPPED, "Microsoft Graph has no such user.")
    assert office.store.blobs == {}
    assert office.store.unreadable == {}


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
    """An error that a wait cannot fix ends the message; the state says whose it was, and why."""
    office.sharepoint.plan_error = error

    outcome = office.process()

    assert (outcome.event, outcome.detail) == (status, str(error))
    assert (office.anne.status, office.anne.detail) == (status, str(error))
    assert (office.anne.user_principal_name, office.anne.source_etag) == (UPN, 'W/"1"')
    assert (office.anne.claim, office.anne.picture_url) == (None, "")
    assert office.queue.messages == []


def test_unexpected_exception(office):
    """An unexpected exception is raised for the host to retry, and releases the claim."""
    office.process()
    office.exchange.upload(NEW)
    office.sharepoint.at_write[2] = failing(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        office.process()

    assert (office.anne.status, office.anne.claim, office.anne.sha256) == (FAILED, None, "")
    assert (office.anne.reason, office.anne.detail) == (
        "crashed",
        "PhotoSync stopped: ZeroDivisionError.",
    )
    office.sharepoint.at_write.clear()
    assert office.process().event == "synced"
    assert office.shows(NEW)


def test_unexpected_exception_while_storage_is_down(office):
    """The host sees that exception, not that it could not be recorded."""
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))
    office.sharepoint.plan_error = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        office.process()


@pytest.mark.parametrize("body", [ANNE.id, UPN])
def test_bad_settings_are_raised(office, body):
    """Bad settings change no user's state: the host keeps the message until they are fixed."""
    office.exchange.error = SettingsError("CLIENT_ID is missing.")

    with pytest.raises(SettingsError):
        office.process(body)

    assert office.store.blobs == {}


# Messages that must wait


def test_wait_is_a_new_message(office):
    """A message that must wait is sent again, with the next attempt, and otherwise unchanged."""
    office.exchange.error = Throttled("Busy.", retry_after=60)
    first = {
        "userId": ANNE.id,
        "reason": "sweep",
        "force": True,
        "firstQueuedAt": NOON.isoformat(),
        "correlationId": "from-the-webhook",
    }

    for attempt, body in ((4, message(force=True, reason="sweep", attempt=3)), (5, None)):
        outcome = office.process(body) if body else office.process_waiting()
        [(again, delay)] = office.queue.messages
        assert again == {**first, "attempt": attempt}
        assert (outcome.event, outcome.user) == ("waiting", ANNE.id)
        assert delay == outcome.retry_in_seconds >= 60


def test_end_that_cannot_be_recorded_waits(office):
    """If an end cannot be recorded, the message that waits finds it again."""
    office.sharepoint.plan_error = AccessDenied("No role.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))

    assert office.process().event == "waiting"
    office.exchange.after_copy = lambda: None
    office.store.error = None
    office.clock.advance(CLAIM)
    assert office.process_waiting().event == FAILED
    assert office.anne.status == FAILED


def test_wait_needs_no_state(office):
    """A message waits even if its wait cannot be recorded."""
    office.sharepoint.plan_error = Throttled("Busy.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", Conflict("Overtaken."))

    assert office.process().event == "waiting"
    assert len(office.queue.messages) == 1


def test_queue_is_down(office):
    """If a message cannot be sent again, the error is raised, so that the host keeps it."""
    office.exchange.error = Throttled("Busy.")
    office.queue.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.process()


# Messages that the host gave up on


STOPPED = (
    "The app stopped every time it worked on this message. "
    "Look for the exception in the log, then replay the user."
)


def test_parked_message_is_a_failure(synced):
    """The user is failed, which an admin sees and can replay."""
    outcome = synced.worker.park(message(attempt=2).encode())

    assert (outcome.event, outcome.user, outcome.detail) == ("parked", ANNE.id, STOPPED)
    assert (synced.anne.status, synced.anne.attempt) == (FAILED, 2)
    assert (synced.anne.detail, synced.anne.last_error.message) == (STOPPED, STOPPED)
    assert synced.anne.last_error.code == "poisoned"
    assert synced.anne.picture_url
    synced.process()
    assert synced.anne.status == SYNCED


@pytest.mark.parametrize(("body", "why"), [(UPN, STOPPED), ("?", "This is neither JSON")])
def test_parked_message_without_an_id(office, body, why):
    """It is kept like any other; a UPN is not looked up, since that may have stopped the app."""
    assert office.worker.park(body.encode()).event == "parked"

    [(kept, reason)] = office.store.unreadable.values()
    assert kept == body.encode()
    assert reason.startswith(why)


def test_parking_waits_for_storage(office):
    """If parking cannot be recorded, the error is raised, so that the message stays."""
    office.store.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.worker.park(ANNE.id.encode())


def test_parking_disturbs_no_copy(office):
    """A user who is being copied at that moment is not marked as failed."""
    claimed = UserState(ANNE.id, claim=Claim("another", CLAIM_LENGTH, left=CLAIM_LENGTH + 1))
    office.store.put(claimed)

    office.worker.park(ANNE.id.encode())

    assert office.anne == claimed


@pytest.mark.parametrize(
    ("anne", "fields", "kind"),
    [
        ("office", {"reason": "notification"}, Kind.CHANGE),
        ("office", {"reason": "replay", "orderedIn": "2026-01"}, Kind.CHANGE),
        ("office", {"reason": "audit", "by": {"via": "app"}}, Kind.AUDIT),
        ("office", {"reason": "sweep"}, Kind.SWEEP),
        ("office", {"reason": "replay", "by": {"via": "app"}}, Kind.SWEEP),
        ("office", {"reason": "notification", "by": {"via": "app"}}, Kind.CHANGE),
        ("missed", {"reason": "removal", "sweepId": "sweep-1"}, Kind.SWEEP),
        ("uninstalling", {"reason": "uninstall", "uninstallId": ORDER}, Kind.SWEEP),
    ],
)
def test_kind_of_profile_calls(request, anne, fields, kind):
    """Changes, and replays that a person waits for, precede audits, and these precede sweeps."""
    office, kinds = request.getfixturevalue(anne), []
    office.sharepoint.at_write[1] = lambda: kinds.append(current().kind)
    office.process(message(**fields))

    assert kinds == [kind]
