"""When a process knows that PhotoSync is being uninstalled, and what that costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import ServiceDown
from shared.telemetry import calls
from shared.uninstalling.halt import CHECKED_EVERY, Halt
from shared.uninstalling.uninstall_log import (
    CANCELLED,
    DONE,
    FAILED,
    NAME,
    RUNNING,
    UninstallLog,
    UninstallLogs,
    to_fields,
)
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import NOON, Clock

MINUTE, TICK = timedelta(seconds=CHECKED_EVERY), timedelta(milliseconds=1)
START = NOON.isoformat()


class Process:
    """One process, and the order that others may write."""

    def __init__(self) -> None:
        self.documents, self.clock = MemoryDocuments(), Clock()
        self.halt = Halt(UninstallLogs(self.documents), self.clock.ticks)

    def order(self, status: str = RUNNING, *, id_: str = "u-1", remove: bool = True) -> None:
        uninstall = UninstallLog(id_, remove, START, START, START, status=status)
        self.documents.put(NAME, to_fields(uninstall))


@pytest.fixture
def process() -> Process:
    return Process()


def test_no_is_cached_for_a_minute(process: Process):
    """Within a minute storage is asked once, and no message is charged for the call."""
    with calls.noted() as made:
        answers = [process.halt.is_on() for _ in range(100)]

    assert (set(answers), process.documents.calls, made) == ({False}, 1, [])


def test_order_takes_effect_within_a_minute(process: Process):
    """A cached "no" is used for a minute, but not in the process of the order; a "yes" never is."""
    process.halt.is_on()
    process.order()
    process.clock.advance(MINUTE - TICK)
    before = process.halt.is_on()
    process.clock.advance(TICK)
    assert (before, process.halt.is_on()) == (False, True)

    process.order(CANCELLED)
    assert not process.halt.is_on()
    process.order()
    process.halt.forget_no()
    assert process.halt.is_on()


@pytest.mark.parametrize(
    ("status", "halts"), [(RUNNING, True), (DONE, True), (FAILED, True), (CANCELLED, False)]
)
def test_what_halts(process: Process, status: str, halts: bool):
    """PhotoSync is halted from the order on, even when all is done, until a person cancels it."""
    process.order(status)

    assert process.halt.is_on() is halts


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        ({}, True),
        ({"id_": "u-2"}, False),
        ({"remove": False}, False),
        ({"status": DONE}, False),
        ({"status": CANCELLED}, False),
    ],
)
def test_whose_messages_remove_pictures(process: Process, change: dict[str, Any], allowed: bool):
    """Only those of the running order, if it removes pictures."""
    process.halt.is_on()
    process.order(**change)

    assert process.halt.orders("u-1") is allowed


def test_error_is_not_cached(process: Process):
    """If storage does not answer, the error is raised; the next check asks again."""
    process.documents.error = ServiceDown("Storage is down.", service="storage")
    with pytest.raises(ServiceDown):
        process.halt.is_on()
    process.documents.error = None
    process.order()

    assert process.halt.is_on()


@pytest.mark.parametrize(
    "damage",
    [
        {"id": ""},
        {"id": "../users/x"},
        {"status": "maybe"},
        {"status": ["running"]},
        {"page": "one"},
        {"removePictures": 1},
        {"problems": [1]},
        {"startedAt": "soon"},
        {"updatedAt": ""},
    ],
    ids=str,
)
def test_damaged_order(process: Process, damage: dict[str, Any]):
    """A document damaged by hand orders nothing, and can be replaced."""
    process.order()
    logs = UninstallLogs(process.documents)
    process.documents.put(NAME, {**process.documents.blobs[NAME].fields, **damage})
    read = logs.read()

    assert read.log is None
    assert not process.halt.is_on()
    logs.write(UninstallLog("u-2", False, START, START, START), after=read.document)
    assert logs.read().log is not None


def test_it_is_read_as_it_was_written(process: Process):
    """All fields come back, whatever a newer version adds."""
    uninstall = UninstallLog(
        "u-1", True, START, START, START, page=7, problems=[{"userId": "a", "why": "b"}]
    )
    process.documents.put(NAME, {**to_fields(uninstall), "later": 1})

    assert UninstallLogs(process.documents).read().log == uninstall
