"""While settings are wrong, messages wait; none is refused or lost."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.errors import SettingsError
from shared.messages.upkeep_message import BUNDLE, UpkeepMessage
from shared.misconfigured import WAIT_SECONDS, NoUpkeep, NoWorker
from tests.doubles.office import ANNE, NOON, Clock, DelayedMessages, MemoryStore

A_DAY = timedelta(days=1)

SETTINGS_WRONG = 'settings.wrong why="Fix these app settings: PICTURE_SIZES'
WRONG = SettingsError("Fix these app settings: PICTURE_SIZES must be three pixel sizes.")


class Desk:
    """The stand-ins with a store, a queue and a clock."""

    def __init__(self) -> None:
        self.clock, self.store, self.queue = Clock(), MemoryStore(), DelayedMessages()
        self.worker = NoWorker(
            WRONG, self.store, self.queue, clock=self.clock, new_id=lambda: "an-id"
        )
        self.upkeep = NoUpkeep(
            WRONG, self.store, self.queue, clock=self.clock, new_id=lambda: "another-id"
        )


@pytest.mark.parametrize(
    ("stand_in", "body", "user"),
    [
        ("worker", b"anne@contoso.com", "anne@contoso.com"),
        ("upkeep", UpkeepMessage(BUNDLE, user_ids=(ANNE.id,)).to_json().encode(), [ANNE.id]),
    ],
    ids=["message", "bundle"],
)
def test_message_waits_for_a_day_and_is_set_aside(stand_in, body, user, caplog):
    """
    It returns after some minutes, one attempt older; after a day it is kept with the reason. The
    log names the wrong settings.
    """
    desk = Desk()
    process = getattr(desk, stand_in).process
    process(body)
    [(message, seconds)] = desk.queue.messages
    assert message.get("userId", message.get("userIds")) == user
    assert message["attempt"] == 2
    assert message["firstQueuedAt"] == NOON.isoformat()
    assert seconds == WAIT_SECONDS
    assert SETTINGS_WRONG in caplog.text
    desk.clock.advance(A_DAY)
    process(json.dumps(message).encode())

    assert len(desk.queue.messages) == 1
    [(kept, reason)] = desk.store.unreadable.values()
    assert json.loads(kept) == message
    assert "PICTURE_SIZES" in reason


def test_what_timers_order_does_not_wait():
    """Timers repeat their orders, so those do not wait."""
    desk = Desk()
    desk.upkeep.process(b"sweep")

    assert (desk.queue.messages, desk.store.unreadable) == ([], {})


@pytest.mark.parametrize(
    ("stand_in", "sentence"), [("worker", "anne@contoso.com"), ("upkeep", "renew, sweep or audit")]
)
def test_unreadable_message_is_kept(stand_in, sentence):
    """A message that cannot be parsed is set aside at once."""
    desk = Desk()
    getattr(desk, stand_in).process(b"please sync anne")
    [(body, reason)] = desk.store.unreadable.values()

    assert body == b"please sync anne"
    assert sentence in reason


@pytest.mark.parametrize(
    ("stand_in", "event"), [("worker", "photo.parked user=-"), ("upkeep", "upkeep.parked")]
)
def test_poisoned_message_is_kept(stand_in, event, caplog):
    """A message that the host gave up on is kept with the reason; an alert watches the event."""
    desk = Desk()
    getattr(desk, stand_in).park(b"anne@contoso.com")
    [(body, reason)] = desk.store.unreadable.values()

    assert (body, "PICTURE_SIZES" in reason) == (b"anne@contoso.com", True)
    assert caplog.messages[-1] == event
    assert SETTINGS_WRONG in caplog.text
