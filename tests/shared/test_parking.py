"""The poison queues are emptied, whatever is in them and whatever storage does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shared.errors import ServiceDown
from shared.parking import Given, Parking
from tests.doubles.office import NOON, MemoryStore


class Poison:
    """A poison queue in memory: what is taken and not deleted is seen again in the next run."""

    def __init__(self, *bodies: str) -> None:
        self.left = list(bodies)
        self.error: Exception | None = None

    def take(self, most: int) -> Iterator[Message]:
        if self.error:
            raise self.error
        for body in self.left[:most]:
            yield Message(self, body)


class Message:
    def __init__(self, queue: Poison, text: str) -> None:
        self._queue = queue
        self.body = text.encode()

    def delete(self) -> None:
        self._queue.left.remove(self.body.decode())


class Desk:
    """Parking with one queue, and a record that *record* keeps."""

    def __init__(self, *queues: Poison, record: Callable[[bytes], object]) -> None:
        self.store = MemoryStore()
        given = [Given(queue, record) for queue in queues]
        self.parking = Parking(given, self.store, clock=lambda: NOON, new_id=lambda: "an-id")


def test_recorded_messages_are_gone():
    """What is recorded is deleted, and only then."""
    queue, recorded = Poison("a", "b"), []

    def record(body: bytes) -> None:
        recorded.append((body, list(queue.left)))

    Desk(queue, record=record).parking.empty()

    assert recorded == [(b"a", ["a", "b"]), (b"b", ["b"])]
    assert queue.left == []


def test_message_that_cannot_be_recorded_waits(caplog):
    """It is found by the next run, and is in nobody's way."""
    queue = Poison("a", "b")
    broken = {b"a"}

    def record(body: bytes) -> None:
        if body in broken:
            raise ServiceDown("Storage is away.")

    desk = Desk(queue, record=record)
    desk.parking.empty()
    assert queue.left == ["a"]
    assert caplog.messages == ['parking.waits why="Storage is away."']

    broken.clear()
    desk.parking.empty()
    assert queue.left == []


def test_message_that_stops_parking_is_kept_as_it_is(caplog):
    """Whatever stops the app in it, its body is kept for a person, and it does not come back."""

    def record(body: bytes) -> None:
        raise ZeroDivisionError

    queue = Poison("a")
    desk = Desk(queue, record=record)
    desk.parking.empty()

    assert queue.left == []
    [(body, reason)] = desk.store.unreadable.values()
    assert body == b"a"
    assert "parking.crashed" in reason
    assert "ZeroDivisionError" in caplog.text


def test_queue_that_cannot_be_read_stops_no_other():
    """One queue's trouble is not the other's."""
    broken, sound = Poison("a"), Poison("b")
    broken.error = ServiceDown("Storage is away.")

    Desk(broken, sound, record=lambda body: None).parking.empty()

    assert sound.left == []
