"""The log of orders: its lines, its files, and damage."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.errors import ServiceDown, UnknownUser
from shared.orders import order as orders
from shared.orders.order import REPLAY, SWEEP, Order, read
from shared.orders.order_log import File, OrderLog
from shared.signature import KEY, PERSON, QUEUE, Signature
from tests.doubles.memory_lines import MemoryLines
from tests.doubles.office import ANNE, NOON, Clock

JO = Signature(PERSON, "jo@contoso.com", "0b000000-0000-4000-8000-000000000001")
UPN = ANNE.user_principal_name
DAY = timedelta(days=1)


def replay(id_: str = "one", by: Signature = JO) -> Order:
    return Order(REPLAY, by, id_, ANNE.id, UPN, "force")


@pytest.fixture
def lines() -> MemoryLines:
    return MemoryLines()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(lines: MemoryLines, clock: Clock) -> OrderLog:
    return OrderLog(lines, clock=clock, most_lines=3)


def test_order_and_its_end(log: OrderLog, clock: Clock):
    """Both lines are read as one order, though it ends in another month; that has its own file."""
    file = log.give(replay())
    clock.advance(DAY)
    log.end(replay(), file, "synced")

    [entry] = log.read(File("2026-01", 1)).entries
    assert (entry.order, entry.at, entry.result) == (replay(), NOON, "synced")
    assert entry.ended_at == NOON + DAY
    assert log.files() == [File("2026-01", 1)]
    assert log.give(replay("two")) == "2026-02"


def test_refused_order(log: OrderLog, lines: MemoryLines):
    """A refusal is one line with the sentence; it is not hidden by an error of storage."""
    log.refuse(replay(), UnknownUser("Nobody."))
    lines.error = ServiceDown("Down.")
    log.refuse(replay("two"), UnknownUser("Nobody."))

    [entry] = log.read(File("2026-01", 1)).entries
    assert (entry.result, entry.detail, entry.ended_at) == (orders.REFUSED, "Nobody.", NOON)


def test_log_that_cannot_be_written(log: OrderLog, lines: MemoryLines, caplog):
    """The app's log has the error of an end; an order must not be carried out, and raises it."""
    file = log.give(replay())
    lines.error = ServiceDown("Down.")
    log.end(replay(), file, "synced")
    assert 'order.unwritten order=replay correlation=one why="Down."' in caplog.messages

    with pytest.raises(ServiceDown):
        log.give(replay("two"))


def test_full_file(log: OrderLog, lines: MemoryLines, clock: Clock):
    """A full file is followed by the next of its month, which a new process finds."""
    files = [log.give(replay(f"order-{n}")) for n in range(4)]
    files.append(OrderLog(lines, clock=clock).give(replay("order-4")))
    log.end(replay("order-0"), files[0], "synced")

    assert files == ["2026-01", "2026-01", "2026-01", "2026-01.2", "2026-01.2"]
    assert log.files() == [File("2026-01", 2), File("2026-01", 1)]
    assert log.read(File("2026-01", 1)).entries[0].result == "synced"


def test_file_that_takes_no_more(clock: Clock):
    """A line that storage refuses goes into the next file, up to a limit."""
    log = OrderLog(MemoryLines(full=1), clock=clock)
    assert [log.give(replay(f"order-{n}")) for n in range(2)] == ["2026-01", "2026-01.2"]

    with pytest.raises(ServiceDown, match="is full for this month"):
        OrderLog(MemoryLines(full=0), clock=clock).give(replay())


@pytest.mark.parametrize("file", ["1999-01", "2026-01.77"])
def test_end_of_an_unknown_order(log: OrderLog, lines: MemoryLines, file: str):
    """A forged message creates no file, and its order is signed "queue"."""
    log.end(replay(), file, "synced")

    [entry] = log.read(File("2026-01", 1)).entries
    assert lines.names() == ["2026-01.jsonl"]
    assert (entry.order.by, entry.result) == (Signature(QUEUE), "synced")


def test_refusal_after_a_lost_answer(log: OrderLog, lines: MemoryLines):
    """A repeated line is one order; one that was stored unnoticed, and refused, has that end."""
    log.give(replay())
    lines.files["2026-01.jsonl"] *= 2
    log.refuse(replay(), ServiceDown("Down."))

    [entry] = log.read(File("2026-01", 1)).entries
    assert (entry.result, entry.detail) == (orders.REFUSED, "Down.")


def test_id_of_somebody_elses_order(log: OrderLog, clock: Clock):
    """A typed order with the id of another neither hides behind that order nor ends it."""
    file = log.give(replay())
    clock.advance(timedelta(minutes=1))
    typed = replay(by=Signature(QUEUE))
    log.give(typed)
    log.end(typed, file, "synced")

    told = [(one.order.by, one.result) for one in log.read(File("2026-01", 1)).entries]
    assert told == [(JO, ""), (Signature(QUEUE), "synced")]


GOOD = {
    "event": "given",
    "at": NOON.isoformat(),
    "order": "sweep",
    "id": "x",
    "by": {"via": "key"},
}
DAMAGE: list[dict[str, object]] = [
    {"event": "done"},
    {"at": "soon"},
    {"at": None},
    {"order": "x"},
    {"id": "a b"},
    {"id": 1},
    {"by": {"via": "god"}},
    {"by": {"via": "person", "name": "Jo"}},
    {"by": {"via": "key", "name": "Jo"}},
    {"detail": 7},
    {"options": "x" * 1000},
]


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "giv',
        b"\xff\x00",
        b"[" * 100_000,
        b"1",
        *(json.dumps(GOOD | damage).encode() for damage in DAMAGE),
    ],
)
def test_damaged_line(line: bytes):
    """A torn or forged line is counted, and hides no other."""
    good = orders.given(Order(SWEEP, Signature(KEY), "good"), NOON)
    found = read(line + b"\n" + good)

    assert ([entry.order.id for entry in found.entries], found.damaged) == (["good"], 1)
