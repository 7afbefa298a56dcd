"""Somebody leaves: the state says since when, and in the end nothing is left of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.copying.held_claim import CLAIM_LENGTH
from shared.copying.run import Policy, Run
from shared.errors import (
    AccessDenied,
    ClaimLost,
    Conflict,
    NoMailbox,
    OutOfScope,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.storage.user_state import FAILED, LEFT, NO_PHOTO, SKIPPED, SYNCED, WAITING, Claim
from tests.doubles.office import ANNE, NOON, Office, failing
from tests.shared.copying.runs import NEW, OLD, TICK, fail, message

MONTH = timedelta(days=30)
A_REMOVAL = message(reason="removal", sweepId="sweep-1")


@pytest.fixture
def left(synced: Office) -> Office:
    """Anne has left, and the state says so since noon."""
    synced.policy = Policy(forget_after=MONTH)
    synced.exchange.leave()
    synced.work_off()
    return synced


@pytest.fixture
def due(left: Office) -> Office:
    """The time has come to forget her."""
    left.clock.advance(MONTH)
    return left


def come_back(office: Office) -> None:
    office.exchange.users[ANNE.id] = ANNE


def test_state_says_since_when(left):
    """Who is unknown to Graph stands under `left`, with the time, and keeps the picture."""
    assert (left.anne.status, left.anne.reason) == (LEFT, "unknown-user")
    assert left.anne.left_since == NOON
    assert left.shows(OLD)


def test_second_look_starts_no_second_clock(left):
    """The time is that of the first look, however often somebody looks, and whatever for."""
    before = left.anne
    left.clock.advance(timedelta(days=3))
    for more in ({}, {"force": True}, {"reason": "replay"}):
        assert left.work_off(message(**more)).event == LEFT

    looked = replace(before, checked_at=left.clock(), replays=left.anne.replays)
    assert left.anne == looked


def test_state_of_an_older_version(left):
    """Who was `skipped` before there was `left` is moved there; the clock starts then."""
    left.change(status=SKIPPED, left_since=None)
    left.clock.advance(MONTH)
    left.work_off()

    assert (left.anne.status, left.anne.left_since) == (LEFT, NOON + MONTH)


@pytest.mark.parametrize("since", [None, NOON + 100 * MONTH], ids=["none", "to come"])
def test_time_that_is_none(left, since):
    """Without a time, or with one to come, the clock starts at the next look."""
    left.change(left_since=since)
    left.work_off()

    assert left.anne.left_since == NOON
    left.clock.advance(MONTH)
    assert left.work_off(A_REMOVAL).event == "forgotten"


def test_only_graph_says_that_somebody_left(synced):
    """Whom only the photo's keeper does not know is there: that is a mailbox's trouble."""
    synced.exchange.photo_etag = lambda user: _unknown()
    synced.work_off()

    assert (synced.anne.status, synced.anne.reason) == (SKIPPED, NoMailbox.code)
    assert synced.anne.left_since is None


def test_only_graph_says_it_of_a_copy(synced):
    """The same where the user is unknown in the middle of a copy, after the photo's etag was."""
    synced.exchange.upload(NEW)
    synced.exchange.user_and_photo = lambda user_id: _unknown()
    synced.work_off()
    assert (synced.anne.status, synced.anne.left_since) == (SKIPPED, None)

    synced.exchange.after_look = synced.exchange.leave
    synced.exchange.upload(OLD)
    synced.work_off()
    assert (synced.anne.status, synced.anne.left_since) == (LEFT, NOON)


def _unknown() -> str:
    raise UnknownUser("Microsoft Graph has no such user.")


@pytest.mark.parametrize("error", [ServiceDown("Down."), AccessDenied("No role.")])
def test_no_answer_is_no_leaving(synced, error):
    """Where Graph cannot be asked for the user nobody is taken for gone."""
    synced.exchange.photo_etag = lambda user: _unknown()
    synced.exchange.user = lambda user: failing(error)()
    synced.work_off()

    assert synced.anne.left_since is None


@pytest.mark.parametrize("photo", [OLD, NEW], ids=["same", "another"])
def test_who_comes_back_is_looked_at_again(left, photo):
    """Restored, with the old photo or another: right again, and no time runs any more."""
    come_back(left)
    left.exchange.upload(photo)
    left.work_off()

    assert left.shows(photo)
    assert (left.anne.status, left.anne.left_since) == (SYNCED, None)


def test_who_comes_back_with_a_new_profile(left):
    """A profile that SharePoint made anew shows the picture, though the photo is the old one."""
    come_back(left)
    left.sharepoint.properties.clear()
    left.work_off()

    assert left.shows(OLD)


def test_who_comes_back_out_of_scope_with_a_new_profile(left):
    """That the profile may be a new one is not forgotten until the user is in scope again."""
    come_back(left)
    left.sharepoint.properties.clear()
    left.check_scope = out_of_scope
    left.work_off()
    left.check_scope = lambda user: None
    left.work_off()

    assert left.shows(OLD)


def test_who_comes_back_without_a_photo(left):
    """That is a missing photo like any other, and no leaving."""
    come_back(left)
    left.exchange.delete()
    left.work_off()

    assert (left.anne.status, left.anne.left_since) == (NO_PHOTO, None)
    assert left.anne.missing_since == NOON


def test_who_leaves_again_has_the_whole_time_again(left):
    """The clock of a second leaving starts with it."""
    come_back(left)
    left.work_off()
    left.clock.advance(MONTH)
    left.exchange.leave()
    left.work_off()

    assert left.anne.left_since == NOON + MONTH


def test_nothing_is_left_when_the_time_has_come(due):
    """Files and address are gone, and the state."""
    assert due.work_off(A_REMOVAL).event == "forgotten"

    assert due.shows_nothing()
    assert due.store.blobs == {}
    assert due.queue.messages == []


def test_message_that_comes_again_afterwards(due):
    """Nothing is made anew of somebody who was forgotten."""
    due.work_off(A_REMOVAL)

    assert due.work_off(A_REMOVAL, redelivered=True).event == SKIPPED
    assert due.store.blobs == {}


def test_not_a_moment_too_early(due):
    """Just before the time is over everything stays."""
    due.clock.advance(-TICK)
    before = due.anne

    assert due.work_off(A_REMOVAL).event == LEFT
    assert due.anne == before
    assert due.shows(OLD)


@pytest.mark.parametrize("body", [message(), message(force=True), message(reason="replay")])
def test_only_a_sweep_orders_it(due, body):
    """A sweep has counted the leavers and asked its brake; nobody else makes Anne forgotten."""
    assert due.work_off(body).event == LEFT
    assert due.shows(OLD)


@pytest.mark.parametrize("policy", [Policy(), Policy(forget_after=MONTH, dry_run=True)])
def test_settings_that_forget_nobody(due, policy):
    """FORGET_AFTER_DAYS=0 keeps leavers for good, and a dry run writes nothing."""
    due.policy = policy
    before = due.anne

    assert due.work_off(A_REMOVAL).event == LEFT
    assert due.anne == before
    assert due.shows(OLD)


def test_who_is_back_when_the_time_has_come(due):
    """The worker asks once more: whoever was restored a moment ago keeps everything."""
    come_back(due)
    due.work_off(A_REMOVAL)

    assert due.shows(OLD)
    assert (due.anne.status, due.anne.left_since) == (SYNCED, None)


def test_who_comes_back_before_the_claim(due):
    """Whoever is restored after the first look of a run is found by the one under its claim."""
    read = due.store.read

    def read_late(user_id):
        come_back(due)
        return read(user_id)

    due.store.read = read_late
    due.work_off(A_REMOVAL)

    assert due.shows(OLD)


def test_state_without_a_picture(due):
    """Where no picture is ours nothing is asked of SharePoint, and the state goes."""
    due.change(picture_url="")
    writes = due.sharepoint.writes

    assert due.work_off(A_REMOVAL).event == "forgotten"
    assert due.sharepoint.writes == writes
    assert due.store.blobs == {}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_run_that_dies_is_made_good(due, number):
    """However far a run has come: who takes up its message ends with nothing left."""
    due.sharepoint.at_write[number] = failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        due.work_off(A_REMOVAL)
    due.sharepoint.at_write.clear()
    due.clock.advance(timedelta(seconds=CLAIM_LENGTH + 1))

    assert due.anne.left_since == NOON
    assert due.work_off(A_REMOVAL, redelivered=True).event == "forgotten"
    assert due.shows_nothing()
    assert due.store.blobs == {}


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("restored", [False, True])
def test_run_that_waits_goes_on(due, number, restored):
    """A wait in the middle loses no time; who comes back in it gets the picture back."""
    due.sharepoint.at_write[number] = failing(Throttled("Busy."))
    assert due.work_off(A_REMOVAL).event == WAITING
    due.sharepoint.at_write.clear()
    assert due.anne.left_since == NOON

    if restored:
        come_back(due)
        due.work_off_waiting()
        assert due.shows(OLD)
    else:
        assert due.work_off_waiting().event == "forgotten"
        assert due.shows_nothing()
        assert due.store.blobs == {}


def test_failure_is_told_and_loses_no_time(due):
    """A missing role is for a person to mend; the clock goes on."""
    due.sharepoint.plan_error = AccessDenied("No role.")
    due.work_off(A_REMOVAL)

    assert (due.anne.status, due.anne.left_since) == (FAILED, NOON)
    assert due.shows(OLD)


def test_late_run_writes_nothing(due):
    """A run whose user another one has taken stops before it recycles one file more."""

    def overtaken() -> None:
        due.clock.advance(timedelta(seconds=CLAIM_LENGTH + 1))
        due.change(claim=Claim("another", CLAIM_LENGTH))

    due.sharepoint.at_write[2] = overtaken
    run = Run(ANNE.id, False, by="this-run", removal=True)
    fail(due, ClaimLost, run)

    assert due.anne.status == LEFT


def test_renewed_claim_is_deleted_with_its_state(due):
    """A slow run renews its claim on the way, and deletes what it wrote last."""
    due.sharepoint.at_write[2] = lambda: due.clock.advance(timedelta(seconds=CLAIM_LENGTH))

    assert due.work_off(A_REMOVAL).event == "forgotten"
    assert due.store.blobs == {}


def test_state_that_moved_on_stays(due):
    """What another run has written since is not deleted."""
    due.sharepoint.at_write[4] = lambda: due.change(detail="another run's")
    run = Run(ANNE.id, False, by="this-run", removal=True)
    fail(due, Conflict, run)

    assert due.anne.detail == "another run's"


def out_of_scope(user: object) -> None:
    raise OutOfScope("The account is disabled.")


def test_out_of_scope_since_when(synced):
    """Who is left out by the settings keeps the picture, and the state says since when."""
    synced.check_scope = out_of_scope
    synced.exchange.upload(NEW)
    for _ in range(2):
        synced.work_off(message(reason="replay"))
        synced.clock.advance(timedelta(days=1))

    assert (synced.anne.status, synced.anne.out_of_scope_since) == (SKIPPED, NOON)
    assert synced.shows(OLD)


@pytest.mark.parametrize("leaves", [True, False], ids=["left", "out of scope"])
def test_damage_of_who_is_looked_after_no_more(synced, leaves):
    """Nobody repairs it, so nobody is told of it for ever; whoever comes back is looked at."""
    synced.sharepoint.files.clear()
    synced.change(damage="Somebody has changed or deleted a file.")
    if leaves:
        synced.exchange.leave()
    synced.check_scope = out_of_scope
    synced.work_off(message(reason="audit"))
    assert (synced.anne.damage, synced.sharepoint.files) == ("", {})

    come_back(synced)
    synced.check_scope = lambda user: None
    synced.work_off()
    assert synced.shows(OLD)


def test_out_of_scope_that_is_over(synced):
    """Back in scope no time is told any more; a leaver out of scope is a leaver."""
    synced.check_scope = out_of_scope
    synced.work_off(message(reason="replay"))
    assert synced.anne.out_of_scope_since
    synced.exchange.leave()
    synced.clock.advance(timedelta(days=1))
    synced.work_off()
    assert synced.anne.out_of_scope_since is None
    assert synced.anne.left_since == NOON + timedelta(days=1)
    come_back(synced)
    synced.work_off()
    assert synced.anne.out_of_scope_since
    synced.check_scope = lambda user: None
    synced.work_off()

    assert (synced.anne.status, synced.anne.out_of_scope_since) == (SYNCED, None)


def test_removal_leaves_who_is_out_of_scope(synced):
    """Leaving the group is never a removal, whatever a sweep has ordered."""
    synced.policy = Policy(forget_after=MONTH)
    synced.check_scope = out_of_scope
    synced.work_off(message(reason="replay"))
    synced.clock.advance(10 * MONTH)
    synced.work_off(A_REMOVAL)

    assert synced.shows(OLD)


def test_users_apart(due):
    """What one user's time is says nothing about another's."""
    bert = replace(ANNE, id=ANNE.id.replace("1", "2"), user_principal_name="bert@contoso.com")
    due.exchange.users[bert.id] = bert
    due.exchange.upload(NEW, bert.id)
    due.work_off(bert.id)
    due.work_off(A_REMOVAL)

    assert due.store[bert.id].status == SYNCED
    assert set(due.store.blobs) == {bert.id}
