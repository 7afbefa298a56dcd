"""While settings are wrong, messages wait; they are never refused, and never lost."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.messages.upkeep_message import BUNDLE, UpkeepMessage
from shared.misconfigured import WAIT_SECONDS, NoUpkeep, NoWorker
from tests.doubles.office import ANNE, NOON, Clock, DelayedMessages, MemoryStore

A_DAY = timedelta(days=1)

WRONG = SettingsError("Fix these app settings: PICTURE_SIZES must be three pixel sizes.")


class Desk:
    """The stand-in with a store, a queue and a clock."""

    def __init__(self) -> None:
        self.clock, self.store, self.queue = Clock(), MemoryStore(), DelayedMessages()
        self.worker = NoWorker(
            WRONG, self.store, self.queue, clock=self.clock, new_id=lambda: "an-id"
        )
        self.upkeep = NoUpkeep(
            WRONG, self.store, self.queue, clock=self.clock, new_id=lambda: "another-id"
        )


def test_message_waits():
    """A message comes back after some minutes, one attempt older, and says since when."""
    desk = Desk()
    desk.worker.work_off(b"anne@contoso.com")
    [(message, seconds)] = desk.queue.messages

    assert message["userId"] == "anne@contoso.com"
    assert message["attempt"] == 2
    assert message["firstQueuedAt"] == NOON.isoformat()
    assert seconds == WAIT_SECONDS


def test_message_that_waited_for_a_day_is_kept():
    """After a day the message is kept with what a person has to fix."""
    desk = Desk()
    desk.worker.work_off(b"anne@contoso.com")
    [(message, _)] = desk.queue.messages
    desk.clock.advance(A_DAY)
    desk.worker.work_off(json.dumps(message).encode())

    assert len(desk.queue.messages) == 1
    [(body, reason)] = desk.store.unreadable.values()
    assert json.loads(body) == message
    assert "PICTURE_SIZES" in reason


def test_bundle_waits_for_a_day_and_is_kept():
    """Nobody orders a bundle again: it comes back, older, and is kept in the end."""
    desk = Desk()
    bundle = UpkeepMessage(BUNDLE, user_ids=(ANNE.id,), correlation_id="c-1")
    desk.upkeep.work_off(bundle.to_json().encode())
    [(message, seconds)] = desk.queue.messages
    assert (message["userIds"], message["attempt"], seconds) == ([ANNE.id], 2, WAIT_SECONDS)
    assert message["firstQueuedAt"] == NOON.isoformat()
    desk.clock.advance(A_DAY)
    desk.upkeep.work_off(json.dumps(message).encode())

    assert len(desk.queue.messages) == 1
    [(body, reason)] = desk.store.unreadable.values()
    assert (json.loads(body), "PICTURE_SIZES" in reason) == (message, True)


def test_what_timers_order_does_not_wait():
    """They order it again, once it can be done."""
    desk = Desk()
    desk.upkeep.work_off(b"sweep")

    assert (desk.queue.messages, desk.store.unreadable) == ([], {})


def test_message_that_nobody_understands_is_kept():
    """What is no message does not become one by waiting."""
    desk = Desk()
    desk.worker.work_off(b"please sync anne")
    [(body, reason)] = desk.store.unreadable.values()

    assert body == b"please sync anne"
    assert "anne@contoso.com" in reason


@pytest.mark.parametrize(
    ("stand_in", "event"), [("worker", "photo.parked user=-"), ("upkeep", "upkeep.parked")]
)
def test_poisoned_message_is_kept(stand_in, event, caplog):
    """What the host gave up on is kept with the reason, and is an event that an alert watches."""
    desk = Desk()
    {"worker": desk.worker, "upkeep": desk.upkeep}[stand_in].park(b"anne@contoso.com")
    [(body, reason)] = desk.store.unreadable.values()

    assert (body, "PICTURE_SIZES" in reason) == (b"anne@contoso.com", True)
    assert caplog.messages[-1] == event


@pytest.mark.parametrize("stand_in", ["worker", "park", "upkeep", "park upkeep"])
def test_log_says_what_to_fix(stand_in, caplog):
    """Every message makes the log name the settings that are wrong."""
    desk = Desk()
    with caplog.at_level(logging.ERROR, "photosync"):
        {
            "worker": desk.worker.work_off,
            "park": desk.worker.park,
            "upkeep": desk.upkeep.work_off,
            "park upkeep": desk.upkeep.park,
        }[stand_in](b"anne@contoso.com")

    assert 'settings.wrong why="Fix these app settings: PICTURE_SIZES' in caplog.text
