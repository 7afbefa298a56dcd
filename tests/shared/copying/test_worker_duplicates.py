"""Copies of a message that storage queued although its response was lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.copying import successors
from shared.copying.outcome import Outcome
from shared.copying.worker import Worker
from shared.errors import Throttled
from tests.doubles.office import ANNE, NOON, Office
from tests.shared.copying import runs
from tests.shared.copying.runs import OLD

BUSY = Throttled("Busy.", retry_after=60)


def message(**fields: object) -> str:
    ours = {"reason": "notification", "firstQueuedAt": NOON.isoformat()}
    return runs.message(**(ours | fields))


def waits(
    office: Office, worker: Worker, body: str, *, redelivered: bool = False
) -> tuple[Outcome, int]:
    """The worker's outcome of *body*, and how many messages it sent."""
    before = len(office.queue.messages)
    outcome = worker.process(body.encode(), redelivered=redelivered)
    return outcome, len(office.queue.messages) - before


@pytest.fixture
def worker(office):
    office.exchange.error = BUSY
    return office.worker


@pytest.mark.parametrize(("user", "logged"), [(ANNE.id, ANNE.id), (ANNE.user_principal_name, "-")])
def test_duplicate_ends_while_its_twin_waits(office, worker, user, logged):
    """Of two equal messages only the first queues a successor; the other makes no call."""
    first, sent = waits(office, worker, message(userId=user))
    assert (first.event, sent) == ("waiting", 1)

    second, sent = waits(office, worker, message(userId=user))

    assert (second.event, second.user, sent) == ("waiting", logged, 0)
    assert second.detail == "The queue holds this message twice: the other one runs later."
    assert 0.97 * first.retry_in_seconds - 1 < second.retry_in_seconds < first.retry_in_seconds


def test_message_is_not_its_own_duplicate(office, worker):
    """However early storage's clock delivers it, the latest attempt runs."""
    waits(office, worker, message())
    [(successor, _)] = office.queue.messages
    office.exchange.error = None

    assert waits(office, worker, json.dumps(successor))[0].event == "synced"
    assert office.shows(OLD)


@pytest.mark.parametrize(
    "other",
    [
        {"correlationId": "another-notification"},
        {"reason": "sweep"},
        {"force": True},
    ],
)
def test_other_work_is_done(office, worker, other):
    """Another message about the same user, or one that has to copy whatever the state says."""
    waits(office, worker, message())
    assert waits(office, worker, message(**other))[1] == 1


def test_redelivered_message_needs_a_forced_successor(office, worker):
    """Its run may have died between two files."""
    assert waits(office, worker, message())[1] == 1
    assert waits(office, worker, message(), redelivered=True)[1] == 1
    assert waits(office, worker, message(), redelivered=True)[1] == 0


def test_forced_successor_does_the_work_of_any(office, worker):
    assert waits(office, worker, message(force=True))[1] == 1
    assert waits(office, worker, message())[1] == 0


def test_only_a_confirmed_successor_counts(office, worker):
    """Storage's response was lost, so nobody knows whether there is a successor."""
    office.queue.error = OSError("lost")
    with pytest.raises(OSError, match="lost"):
        waits(office, worker, message())
    office.queue.error = None
    assert waits(office, worker, message())[1] == 1


@pytest.mark.parametrize(("hours", "early"), [(0, 1), (6, 200)])
def test_successor_counts_until_it_may_run(office, worker, hours, early):
    """Storage rounds a delay to whole seconds, and its clock may differ by 1 %."""
    office.exchange.error = Throttled("Busy.", retry_after=hours * 3600)
    first, _ = waits(office, worker, message())
    office.clock.advance(timedelta(seconds=first.retry_in_seconds - early))
    assert waits(office, worker, message())[1] == 1


def test_memory_is_limited(office, worker, monkeypatch):
    """Beyond the limit, duplicates run as if each were the only one, until others are visible."""
    monkeypatch.setattr(successors, "MOST", 1)
    first, _ = waits(office, worker, message())
    assert [waits(office, worker, message(attempt=2, reason="audit"))[1] for _ in "ab"] == [1, 1]

    office.clock.advance(timedelta(seconds=first.retry_in_seconds))
    assert [waits(office, worker, message(reason="audit"))[1] for _ in "ab"] == [1, 0]
