"""A message and what becomes of it, whatever it holds and however its work ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.budget.work import Kind, current
from shared.copying.run import Policy
from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoProfile,
    OutOfScope,
    PhotoRefused,
    ServiceDown,
    SettingsError,
    Throttled,
    UnknownUser,
)
from shared.storage.user_state import FAILED, LEFT, NO_PHOTO, REMOVED, SKIPPED, SYNCED, WAITING
from tests.doubles.office import ANNE, failing
from tests.shared.copying.runs import NEW, OLD, message

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
    assert outcome.detail == "Microsoft Graph has no such user."
    assert office.store.blobs == {}


def nobody(user: str) -> str:
    raise UnknownUser("Microsoft Graph has no such user.")


def test_id_that_is_nobodys_leaves_nothing(office):
    """Of an id that Graph does not know, and of which nothing is remembered, nothing is kept."""
    office.exchange.photo_etag = nobody
    outcome = office.work_off()

    assert (outcome.event, outcome.detail) == (SKIPPED, "Microsoft Graph has no such user.")
    assert office.store.blobs == {}
    assert office.store.unreadable == {}


def test_user_who_is_gone_is_recorded(synced):
    """Of somebody who had a state it says that Graph knows no such user any more."""
    synced.exchange.leave()
    synced.work_off()

    assert (synced.anne.status, synced.anne.reason) == (LEFT, "unknown-user")
    assert synced.anne.picture_url


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
    assert office.work_off(message(reason="removal", sweepId="sweep-1")).event == REMOVED
    assert office.shows_nothing()


def test_removal_that_waits_stays_one(office):
    """A removal that must wait is one still when its time has come."""
    office.work_off()
    office.exchange.delete()
    office.work_off()
    office.clock.advance(timedelta(minutes=10))
    office.sharepoint.at_write[2] = failing(Throttled("Busy."))
    assert office.work_off(message(reason="removal", sweepId="sweep-1")).event == "waiting"
    office.sharepoint.at_write.clear()

    assert office.work_off_waiting().event == REMOVED
    assert office.shows_nothing()


def test_dry_run_ends_as_skipped(office):
    """In a dry run a message ends as skipped and says what would have been written."""
    office.policy = Policy(dry_run=True)

    outcome = office.work_off()

    assert (outcome.event, office.anne.reason) == (SKIPPED, "dry-run")
    assert outcome.detail.startswith("DRY_RUN is on; otherwise PhotoSync would upload")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"reason": "notification"}, Kind.CHANGE),
        ({"reason": "replay"}, Kind.CHANGE),
        ({"reason": "audit"}, Kind.AUDIT),
        ({"reason": "sweep"}, Kind.SWEEP),
        ({"reason": "replay", "by": {"via": "app"}}, Kind.SWEEP),
    ],
)
def test_what_profile_calls_are_for(office, fields, kind):
    """A change, or a person who waits, goes before audits, and these before sweeps."""
    kinds = []
    office.sharepoint.at_write[1] = lambda: kinds.append(current().kind)
    office.work_off(message(**fields))

    assert kinds == [kind]


def test_removal_can_wait(office):
    """What a sweep takes back comes after all other work."""
    office.work_off()
    office.exchange.delete()
    office.work_off()
    office.clock.advance(timedelta(minutes=10))
    kinds = []
    office.sharepoint.at_write[1] = lambda: kinds.append(current().kind)
    office.work_off(message(reason="removal", sweepId="sweep-1"))

    assert kinds == [Kind.SWEEP]
