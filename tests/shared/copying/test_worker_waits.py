"""A message that must wait: sent again as a new one, for how long, and until when."""

from __future__ import annotations

import pytest

from shared.errors import AccessDenied, Conflict, ServiceDown, Throttled
from shared.storage.user_state import FAILED
from tests.doubles.office import ANNE, NOON
from tests.shared.copying.runs import CLAIM, OLD, message

UPN = ANNE.user_principal_name


def test_upn_waits_for_the_directory(office):
    """While Graph cannot say whose a UPN is, the message waits under that UPN."""
    office.exchange.error = Throttled("Busy.", retry_after=20)

    assert office.work_off(UPN).event == "waiting"
    office.exchange.error = None
    assert office.work_off_waiting().event == "synced"
    assert office.shows(OLD)


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
        outcome = office.work_off(body) if body else office.work_off_waiting()
        [(again, delay)] = office.queue.messages
        assert again == {**first, "attempt": attempt}
        assert outcome.event == "waiting"
        assert delay == outcome.retry_in_seconds >= 60


def test_end_that_cannot_be_recorded_waits(office):
    """If an end cannot be recorded, the message that waits finds it again."""
    office.sharepoint.plan_error = AccessDenied("No role.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", ServiceDown("Storage."))

    assert office.work_off().event == "waiting"
    office.exchange.after_copy = lambda: None
    office.store.error = None
    office.clock.advance(CLAIM)
    assert office.work_off_waiting().event == FAILED
    assert office.anne.status == FAILED


def test_wait_needs_no_state(office):
    """A message waits even if its wait cannot be recorded."""
    office.sharepoint.plan_error = Throttled("Busy.")
    office.exchange.after_copy = lambda: setattr(office.store, "error", Conflict("Overtaken."))

    assert office.work_off().event == "waiting"
    assert len(office.queue.messages) == 1


def test_queue_is_down(office):
    """If a message cannot be sent again, the error is raised, so that the host keeps it."""
    office.exchange.error = Throttled("Busy.")
    office.queue.error = ServiceDown("Storage.")

    with pytest.raises(ServiceDown):
        office.work_off()
