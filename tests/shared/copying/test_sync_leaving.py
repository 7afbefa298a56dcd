"""A user leaves: the state says since when, and finally everything of them is removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.run import Policy
from shared.errors import AccessDenied, NoMailbox, ServiceDown, Throttled
from shared.storage.user_state import FAILED, LEFT, NO_PHOTO, SKIPPED, SYNCED, WAITING
from tests.doubles.office import ANNE, NOON, Office, failing
from tests.shared.copying.runs import (
    A_REMOVAL,
    MONTH,
    NEW,
    OLD,
    SECOND_LOOK_AFTER,
    TICK,
    message,
    out_of_scope,
    unknown,
)


def come_back(office: Office) -> None:
    office.exchange.users[ANNE.id] = ANNE


def test_state_says_since_when(left):
    """A user unknown to Graph becomes `left` at the first check, and keeps the picture."""
    before = left.anne
    assert (before.status, before.reason, before.left_since) == (LEFT, "unknown-user", NOON)
    assert left.shows(OLD)
    left.clock.advance(timedelta(days=3))
    for more in ({}, {"force": True}, {"reason": "replay"}):
        assert left.process(message(**more)).event == LEFT

    assert left.anne == replace(before, checked_at=left.clock(), replays=left.anne.replays)


@pytest.mark.parametrize(
    "before",
    [
        {"left_since": None},
        {"left_since": NOON + 100 * MONTH},
        {"left_since": None, "status": SKIPPED},
    ],
    ids=["none", "in the future", "older version"],
)
def test_time_that_cannot_be_true(left, before):
    """Without a time, or with a future one, the time starts at the next check."""
    left.change(**before)
    left.clock.advance(MONTH)
    left.process()
    assert (left.anne.status, left.anne.left_since) == (LEFT, NOON + MONTH)
    left.clock.advance(MONTH)

    assert left.process(A_REMOVAL).event == "forgotten"


@pytest.mark.parametrize("request_", ["photo_etag", "user_and_photo"])
def test_user_without_a_mailbox(synced, request_):
    """A user whom only a photo request does not find has no mailbox and has not left."""
    synced.exchange.upload(NEW)
    setattr(synced.exchange, request_, unknown)
    synced.process()

    assert (synced.anne.status, synced.anne.reason) == (SKIPPED, NoMailbox.code)
    assert synced.anne.detail == "Microsoft Graph has the user, but no mailbox or photo yet."
    assert synced.anne.left_since is None


def test_user_who_leaves_during_a_copy(synced):
    """A user who is not found between the etag and the bytes has left."""
    synced.exchange.upload(NEW)
    synced.exchange.after_look = synced.exchange.leave
    synced.process()

    assert (synced.anne.status, synced.anne.left_since) == (LEFT, NOON)


@pytest.mark.parametrize("error", [ServiceDown("Down."), AccessDenied("No role.")])
def test_no_answer_about_the_user(synced, error):
    """If Graph cannot be asked for the user, nobody is recorded as having left."""
    synced.exchange.photo_etag = unknown
    synced.exchange.user = lambda user: failing(error)()
    synced.process()

    assert synced.anne.left_since is None


@pytest.mark.parametrize(
    ("photo", "profile"),
    [(OLD, "kept"), (NEW, "kept"), (OLD, "new")],
    ids=["same", "another", "new profile"],
)
def test_returning_user(left, photo, profile):
    """A restored user is copied, even if only the profile is new, and has no `left_since`."""
    come_back(left)
    if profile == "new":
        left.sharepoint.properties.clear()
    left.exchange.upload(photo)
    left.process(message(reason="sweep"))

    assert left.shows(photo)
    assert (left.anne.status, left.anne.left_since) == (SYNCED, None)


A_NOTIFICATION = message(reason="notification")


@pytest.mark.parametrize(
    "body", [message(), A_NOTIFICATION, A_REMOVAL], ids=["copy", "fetch", "removal"]
)
def test_failure_after_a_return(left, body):
    """If the run that finds the user again fails, the user is back, perhaps with a new profile."""
    come_back(left)
    left.sharepoint.plan_error = AccessDenied("No role.")
    left.exchange.upload(NEW)
    if body == A_NOTIFICATION:
        left.exchange.user_and_photo = lambda user: failing(AccessDenied("No role."))()
    if body == A_REMOVAL:
        left.exchange.delete()
        left.change(missing_since=NOON - SECOND_LOOK_AFTER)
    left.process(body)

    assert (left.anne.status, left.anne.left_since, left.anne.sha256) == (FAILED, None, "")


def test_returning_user_out_of_scope(left):
    """The profile of a returning user is still checked once the user is in scope again."""
    come_back(left)
    left.sharepoint.properties.clear()
    left.check_scope = out_of_scope
    left.process()
    left.check_scope = lambda user: None
    left.process(message(reason="sweep"))

    assert left.shows(OLD)


def test_returning_user_without_a_photo(left):
    """That is a missing photo like any other."""
    come_back(left)
    left.exchange.delete()
    left.process()

    assert (left.anne.status, left.anne.left_since) == (NO_PHOTO, None)
    assert left.anne.missing_since == NOON


def test_user_restored_without_a_photo(due):
    """Nothing of such a user is forgotten, and the picture stays for now."""
    come_back(due)
    due.exchange.delete()
    due.process(A_REMOVAL)

    assert (due.anne.status, due.anne.left_since) == (NO_PHOTO, None)
    assert due.shows(OLD)


@pytest.mark.parametrize("anne", ["missed", "due"])
def test_failure_is_recorded_once(request, anne):
    """An order to remove or to forget does neither if the photo's state is unknown."""
    office = request.getfixturevalue(anne)
    office.exchange.photo_etag = lambda user: failing(AccessDenied("No role."))()
    office.process(A_REMOVAL)
    written = office.store.blobs[ANNE.id]
    office.process(A_REMOVAL)

    assert office.store.blobs[ANNE.id] == written
    assert (office.anne.status, office.shows(OLD)) == (FAILED, True)


def test_interrupted_forgetting(due):
    """The state no longer says what SharePoint holds."""
    due.sharepoint.at_write[2] = failing(Throttled("Busy."))
    due.process(A_REMOVAL)

    assert (due.anne.status, due.anne.sha256, due.anne.claim) == (WAITING, "", None)


def test_user_who_leaves_again(left):
    """Each time a user leaves, the time starts again."""
    come_back(left)
    left.process()
    left.clock.advance(MONTH)
    left.exchange.leave()
    left.process()

    assert left.anne.left_since == NOON + MONTH


def test_forgotten(due):
    """Files, URL and state are deleted; a message delivered again creates no new state."""
    assert due.process(A_REMOVAL).event == "forgotten"

    assert due.shows_nothing()
    assert due.queue.messages == []
    assert due.process(A_REMOVAL, redelivered=True).event == SKIPPED
    assert due.store.blobs == {}


@pytest.mark.parametrize("body", [message(), message(force=True), message(reason="replay")])
def test_only_a_sweep_orders_forgetting(due, body):
    """Only a sweep counts leavers and checks its brake first."""
    assert due.process(body).event == LEFT
    assert due.shows(OLD)


@pytest.mark.parametrize(
    ("policy", "early"),
    [
        (Policy(), timedelta(0)),
        (Policy(forget_after=MONTH, dry_run=True), timedelta(0)),
        (Policy(forget_after=MONTH), TICK),
    ],
    ids=["FORGET_AFTER_DAYS=0", "dry run", "too early"],
)
def test_not_forgotten(due, policy, early):
    """Nothing changes in a dry run, before the time is over, or if leavers are kept for good."""
    due.policy = policy
    due.clock.advance(-early)
    before = due.anne

    assert due.process(A_REMOVAL).event == LEFT
    assert due.anne == before
    assert due.shows(OLD)


@pytest.mark.parametrize("during", [False, True], ids=["before the run", "before its claim"])
def test_user_restored_before_the_removal(due, during):
    """Graph is asked once more under the claim: a user restored a moment ago keeps everything."""
    if during:
        due.store.after_read = lambda: come_back(due)
    else:
        come_back(due)
    due.process(A_REMOVAL)

    assert due.shows(OLD)
    assert (due.anne.status, due.anne.left_since) == (SYNCED, None)


def test_state_without_a_picture(due):
    """Without a picture of ours, only the state is deleted, without a call to SharePoint."""
    due.change(picture_url="")
    writes = due.sharepoint.writes

    assert due.process(A_REMOVAL).event == "forgotten"
    assert due.sharepoint.writes == writes
    assert due.store.blobs == {}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_user_restored_during_a_wait(due, number):
    """A user who returns while a removal waits half-way gets the picture back."""
    due.sharepoint.at_write[number] = failing(Throttled("Busy."))
    assert due.process(A_REMOVAL).event == WAITING
    due.sharepoint.at_write.clear()
    come_back(due)
    due.process_waiting()

    assert due.shows(OLD)


def test_failure_keeps_the_time(due):
    """A failed removal is recorded, and `left_since` stays."""
    due.sharepoint.plan_error = AccessDenied("No role.")
    due.process(A_REMOVAL)

    assert (due.anne.status, due.anne.left_since) == (FAILED, NOON)
    assert due.shows(OLD)


def test_out_of_scope_since_when(synced):
    """The state says since when; the picture stays, whatever a sweep has ordered."""
    synced.policy = Policy(forget_after=MONTH)
    synced.check_scope = out_of_scope
    synced.exchange.upload(NEW)
    for body in (message(reason="replay"), message(reason="replay"), A_REMOVAL):
        synced.process(body)
        synced.clock.advance(10 * MONTH)

    assert (synced.anne.status, synced.anne.out_of_scope_since) == (SKIPPED, NOON)
    assert synced.shows(OLD)
    synced.exchange.error = AccessDenied("No role.")
    synced.process()
    assert (synced.anne.status, synced.anne.out_of_scope_since) == (FAILED, NOON)


@pytest.mark.parametrize("leaves", [True, False], ids=["left", "out of scope"])
def test_damage_is_no_longer_repaired(synced, leaves):
    """For a user who left or is out of scope, damage is not reported; a return is checked."""
    synced.sharepoint.files.clear()
    synced.change(damage="Somebody has changed or deleted a file.")
    if leaves:
        synced.exchange.leave()
    synced.check_scope = out_of_scope
    synced.process(message(reason="audit"))
    assert (synced.anne.damage, synced.sharepoint.files) == ("", {})

    come_back(synced)
    synced.check_scope = lambda user: None
    synced.process(message(reason="sweep"))
    assert synced.shows(OLD)


def test_back_in_scope(synced):
    """Back in scope, the state has no time any more; a leaver out of scope is a leaver."""
    synced.check_scope = out_of_scope
    synced.process(message(reason="replay"))
    assert synced.anne.out_of_scope_since
    synced.exchange.leave()
    synced.clock.advance(timedelta(days=1))
    synced.process()
    assert synced.anne.out_of_scope_since is None
    assert synced.anne.left_since == NOON + timedelta(days=1)
    come_back(synced)
    synced.process()
    assert synced.anne.out_of_scope_since
    synced.check_scope = lambda user: None
    synced.process()

    assert (synced.anne.status, synced.anne.out_of_scope_since) == (SYNCED, None)
