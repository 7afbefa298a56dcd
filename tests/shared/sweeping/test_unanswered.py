"""Users about whom nothing could be learnt, though others were answered."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import AccessDenied, Refused, ServiceDown, Throttled
from shared.storage.user_state import Claim, UserState
from shared.sweeping import unanswered
from shared.sweeping.unanswered import UnansweredUser
from tests.machine.tenant import users
from tests.shared.sweeping.sweeping_alone import Sweeping, result

(ANNE,) = users(1)


def test_error_of_one_user_does_not_stop_the_page():
    """Of a page with an error about one user the rest goes on; the state of that one says why."""
    slow = Throttled("graph answered 429.")
    here = UnansweredUser(ANNE, None, slow)
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], unanswered=[here], errors=[slow]))
    office.run()
    stored = office.states.read(ANNE.id)

    assert (office.log.status, office.log.failed) == ("finished", 1)
    assert office.queued() == [("b", "sweep")]
    assert stored
    assert (stored.state.status, stored.state.reason) == ("failed", "throttled")
    assert stored.state.detail.startswith("graph answered 429.")
    assert stored.state.user_principal_name == ANNE.user_principal_name


def test_state_of_an_unanswered_user_is_kept_beside_the_error():
    """What was copied stays known, and the same error is not written again by every sweep."""
    slow = Throttled("graph answered 429.")
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, status="synced", sha256="h", source_etag="e1"))
    for _ in range(2):
        before = office.states.read(ANNE.id)
        unanswered.record(office.states, [UnansweredUser(ANNE, before, slow)], office.clock)
    after = office.states.read(ANNE.id)

    assert before
    assert after == before
    assert (after.state.status, after.state.sha256, after.state.source_etag) == (
        "failed",
        "h",
        "e1",
    )


def test_who_is_listed_has_not_left():
    """Whom Graph lists is there, though it does not tell of the photo."""
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, status="left", sha256="h", left_since=office.now))
    before = office.states.read(ANNE.id)
    here = UnansweredUser(ANNE, before, Throttled("graph answered 429."))
    unanswered.record(office.states, [here], office.clock)
    stored = office.states.read(ANNE.id)

    assert stored
    assert (stored.state.left_since, stored.state.sha256) == (None, "")


def test_run_that_was_faster_is_not_written_over():
    """Whom a run has just looked at keeps what that run wrote."""
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, status="synced"))
    here = UnansweredUser(ANNE, None, Throttled("graph answered 429."))
    unanswered.record(office.states, [here], office.clock)
    stored = office.states.read(ANNE.id)

    assert stored
    assert stored.state.status == "synced"


def test_one_refusal_among_an_outage_is_not_the_cause():
    """The commonest error is everybody's: with one mailbox that refuses, an outage still waits."""
    errors = [AccessDenied("One mailbox."), *[ServiceDown("Broken.")] * 17]
    office = Sweeping(result(in_scope=18, errors=errors))
    office.sweep.start()
    with pytest.raises(ServiceDown):
        office.sweep.work_off(office.log.id, 1)


def test_odd_answers_about_all_do_not_stop_a_sweep():
    """A new code for "no photo" would be one, and those who have a photo must not wait for it."""
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], errors=[Refused("404 New.")] * 19))
    office.run()

    assert (office.log.status, office.log.failed) == ("finished", 19)
    assert office.queued() == [("b", "sweep")]


@pytest.mark.parametrize(("asked", "pause"), [(40.0, 40.0), (3600.0, 300.0), (None, 0.0)])
def test_who_throttles_some_of_a_page_is_not_asked_at_once(asked: float | None, pause: float):
    """The next page waits as long as Graph asks for, within limits."""
    slow = Throttled("graph answered 429.", retry_after=asked)
    here = UnansweredUser(ANNE, None, slow)
    office = Sweeping(result(in_scope=20, unanswered=[here], errors=[slow]), result())
    office.sweep.start()
    office.orders()
    office.sweep.work_off(office.log.id, 1)
    [message] = office.upkeep.messages

    assert (message.visible_at - office.now).total_seconds() == pause


def test_claim_of_a_dead_run_outlives_the_error():
    """
    The files of a run that died stay in doubt, beside the reason why nobody could look.

    But the claim is not made young again by being written: nobody waits for the dead.
    """
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, status="synced", claim=Claim("b", 300.0)))
    office.now += timedelta(minutes=6)
    stored = office.states.read(ANNE.id)
    here = UnansweredUser(ANNE, stored, Throttled("graph answered 429."))
    unanswered.record(office.states, [here], office.clock)
    after = office.states.read(ANNE.id)

    assert after
    assert (after.state.status, after.state.claim) == ("failed", Claim("b", 0.0))


@pytest.mark.parametrize("error", [AccessDenied("No role."), ServiceDown("Broken.")], ids=repr)
def test_error_of_nearly_all_is_everybodys(error):
    """Then nobody is judged by it: nothing is queued, and no state is written."""
    here = UnansweredUser(ANNE, None, Throttled("graph answered 429."))
    errors = [ServiceDown("Broken."), *[error] * 17]
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], unanswered=[here], errors=errors))
    office.sweep.start()
    with pytest.raises(type(error)):
        office.sweep.work_off(office.log.id, 1)

    assert office.queued() == []
    assert office.states.read(ANNE.id) is None
    assert (office.log.page, office.log.failed) == (1, 0)
