"""A message that must wait: as a new one, for how long, and until when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.errors import (
    AccessDenied,
    Conflict,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.microsoft365.http import LATE_WRITE
from shared.storage.user_state import FAILED, Claim, UserState
from tests.doubles.office import ANNE, NOON, failing
from tests.shared.copying.runs import CLAIM, OLD, message

A_DAY = timedelta(days=1)

UPN = ANNE.user_principal_name


def test_upn_waits_for_the_directory(office):
    """While Graph cannot say who a UPN is, the message waits under that UPN."""
    office.exchange.error = Throttled("Busy.", retry_after=20)

    assert office.work_off(UPN).event == "waiting"
    office.exchange.error = None
    assert office.work_off_waiting().event == "synced"
    assert office.shows(OLD)


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
    first = (NOON - A_DAY).isoformat()

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
    first = (NOON - A_DAY + timedelta(seconds=1)).isoformat()

    assert office.work_off(message(firstQueuedAt=first)).event == "waiting"


def test_claimed_user_waits(office):
    """A message for a user whom another run copies waits, and finds the work done later."""
    office.store.put(UserState(ANNE.id, claim=Claim("another", 1.0)))

    assert office.work_off().event == "waiting"
    assert office.work_off_waiting().event == "synced"


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
    assert office.clock.now >= NOON + timedelta(seconds=LATE_WRITE)


def test_end_that_cannot_be_recorded_waits(office):
    """An end that could not be written down is found anew by the message that waits."""
    office.sharepoint.plan_error = AccessDenied("No role.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))

    assert office.work_off().event == "waiting"
    office.exchange.after_copy = lambda: None
    office.store.error = None
    office.clock.advance(CLAIM)
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


def test_claim_is_not_waited_for_longer_than_it_lasts(office):
    """However often a message has waited, it comes back soon after the claim is over."""
    office.store.put(UserState(ANNE.id, claim=Claim("another", 120.0)))

    outcome = office.work_off(message(attempt=12))

    assert 120 <= outcome.retry_in_seconds <= 130
