"""The poison queues are emptied, whatever they contain and whatever storage does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from shared.errors import ServiceDown
from shared.parking import Parking, PoisonHandler
from tests.doubles.office import NOON, MemoryStore, failing


class Poison:
    """A poison queue in memory: a message taken and not deleted returns in the next run."""

    def __init__(self, *bodies: str) -> None:
        self.left = list(bodies)
        self.error: Exception | None = None

    def take(self, most: int) -> Iterator[Any]:
        if self.error:
            raise self.error
        for body in self.left[:most]:
            yield SimpleNamespace(body=body.encode(), delete=partial(self.left.remove, body))


class Desk:
    """Parking with these queues and the function that records their messages."""

    def __init__(self, *queues: Poison, record: Callable[[bytes], object]) -> None:
        self.store = MemoryStore()
        given = [PoisonHandler(queue, record) for queue in queues]
        self.parking = Parking(given, self.store, clock=lambda: NOON, new_id=lambda: "an-id")


def test_recorded_messages_are_deleted():
    """A message is deleted only after it was recorded."""
    queue, recorded = Poison("a", "b"), []

    def record(body: bytes) -> None:
        recorded.append((body, list(queue.left)))

    Desk(queue, record=record).parking.empty()

    assert recorded == [(b"a", ["a", "b"]), (b"b", ["b"])]
    assert queue.left == []


def test_message_that_cannot_be_recorded_waits(caplog):
    """It stays for the next run and does not stop the other messages."""
    queue = Poison("a", "b")
    broken = {b"a"}

    def record(body: bytes) -> None:
        if body in broken:
            raise ServiceDown("Storage is down.")

    desk = Desk(queue, record=record)
    desk.parking.empty()
    assert queue.left == ["a"]
    assert caplog.messages == ['parking.waits why="Storage is down."']

    broken.clear()
    desk.parking.empty()
    assert queue.left == []


def test_message_that_crashes_parking(caplog):
    """If recording a message crashes, its body is set aside and it does not return."""
    queue = Poison("a")
    desk = Desk(queue, record=failing(ZeroDivisionError()))
    desk.parking.empty()

    assert queue.left == []
    [(body, reason)] = desk.store.unreadable.values()
    assert body == b"a"
    assert "parking.crashed" in reason
    assert "ZeroDivisionError" in caplog.text


def test_queue_that_cannot_be_read_stops_no_other():
    """A fault of one queue does not stop the other."""
    broken, sound = Poison("a"), Poison("b")
    broken.error = ServiceDown("Storage is down.")

    Desk(broken, sound, record=lambda body: None).parking.empty()

    assert sound.left == []
