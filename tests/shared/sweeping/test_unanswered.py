"""Users about whose photo Graph gave no answer, though it answered about others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import AccessDenied, PhotoSyncError, Refused, ServiceDown, Throttled
from shared.storage.user_state import Claim, UserState
from shared.sweeping import unanswered
from shared.sweeping.unanswered import UnansweredUser
from tests.machine.tenant import users
from tests.shared.sweeping.sweeping_alone import Sweeping, result

(ANNE,) = users(1)
SLOW = Throttled("graph answered 429.")
DOWN = ServiceDown("Broken.")


def recorded(age: float = 0.0, **known: Any) -> UserState:
    """The state of a user known so for *age* seconds, once the error is recorded, twice."""
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, **known))
    office.now += timedelta(seconds=age)
    written = []
    for _ in range(2):
        before = office.states.read(ANNE.id)
        unanswered.record(office.states, [UnansweredUser(ANNE, before, SLOW)], office.clock)
        written.append(office.states.read(ANNE.id))
    first, second = written
    assert first == second, "The same error is not written again."
    assert first
    return first.state


def test_error_of_one_user_does_not_stop_the_page():
    """The rest of the page is processed; the user's state records the error."""
    here = UnansweredUser(ANNE, None, SLOW)
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], unanswered=[here], errors=[SLOW]))
    office.run()
    stored = office.states.read(ANNE.id)

    assert (office.log.status, office.log.failed) == ("finished", 1)
    assert office.queued() == [("b", "sweep")]
    assert stored
    assert (stored.state.status, stored.state.reason) == ("failed", "throttled")
    assert stored.state.detail.startswith("graph answered 429.")
    assert stored.state.user_principal_name == ANNE.user_principal_name


def test_error_keeps_what_is_known():
    """What was copied stays in the state beside the error."""
    state = recorded(status="synced", sha256="h", source_etag="e1")

    assert (state.status, state.sha256, state.source_etag) == ("failed", "h", "e1")


def test_listed_user_has_not_left():
    """Graph lists the user, so the state no longer says when the user left."""
    state = recorded(status="left", sha256="h", left_since=Sweeping(result()).now)

    assert (state.left_since, state.sha256) == (None, "")


def test_claim_of_a_dead_run_stays():
    """What SharePoint holds stays in doubt; writing the claim again does not extend it."""
    state = recorded(360.0, status="synced", claim=Claim("b", 300.0))

    assert (state.status, state.claim) == ("failed", Claim("b", 0.0))


def test_newer_state_is_not_overwritten():
    """A state that a run has written since stays."""
    office = Sweeping(result())
    office.states.create(UserState(ANNE.id, status="synced"))
    unanswered.record(office.states, [UnansweredUser(ANNE, None, SLOW)], office.clock)
    stored = office.states.read(ANNE.id)

    assert stored
    assert stored.state.status == "synced"


@pytest.mark.parametrize(
    ("errors", "raised"),
    [
        ([DOWN] * 18, ServiceDown),
        ([DOWN, *[AccessDenied("No role.")] * 17], AccessDenied),
        ([AccessDenied("One mailbox."), *[DOWN] * 17], ServiceDown),
    ],
    ids=["outage", "no role", "outage and one refusal"],
)
def test_error_of_nearly_all_stops_the_page(
    errors: list[PhotoSyncError], raised: type[PhotoSyncError]
):
    """The most common error is raised; nothing is queued, and no state is written."""
    here = UnansweredUser(ANNE, None, SLOW)
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], unanswered=[here], errors=errors))
    office.start()
    with pytest.raises(raised):
        office.process(1)

    assert (office.queued(), office.states.read(ANNE.id)) == ([], None)
    assert (office.log.page, office.log.failed) == (1, 0)


def test_unexpected_answers_about_all_do_not_stop_a_sweep():
    """Graph may introduce a new code for "no photo": users with a photo must not wait for us."""
    office = Sweeping(result(in_scope=20, queue=[("b", "new")], errors=[Refused("404 New.")] * 19))
    office.run()

    assert (office.log.status, office.log.failed) == ("finished", 19)
    assert office.queued() == [("b", "sweep")]


@pytest.mark.parametrize(("asked", "pause"), [(40.0, 40.0), (3600.0, 300.0), (None, 0.0)])
def test_next_page_waits_as_long_as_graph_asks(asked: float | None, pause: float):
    """If Graph throttles some users of a page, the next page waits, within a limit."""
    slow = Throttled("graph answered 429.", retry_after=asked)
    here = UnansweredUser(ANNE, None, slow)
    office = Sweeping(result(in_scope=20, unanswered=[here], errors=[slow]), result())
    office.start()
    office.process(1)
    [message] = office.upkeep.messages

    assert (message.visible_at - office.now).total_seconds() == pause
