"""What sweeps/<id>.json says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Conflict
from shared.sweeping.sweep_log import LATEST, SweepLog, SweepLogs
from tests.machine.storage import Blobs, MemoryDocuments
from tests.shared.sweeping.sweeping_alone import NOON

START = NOON.isoformat()
LOG = SweepLog("s-1", START, (NOON + timedelta(minutes=2)).isoformat(), users=100, page=3)


def test_it_is_read_as_it_was_written():
    """All fields come back, whatever else the blob says to people or newer versions."""
    documents = MemoryDocuments(Blobs())
    SweepLogs(documents).begin(LOG, None)
    document = documents.read("sweeps/s-1.json")
    assert document
    documents.write("sweeps/s-1.json", {**document.fields, "later": 1}, after=document)

    assert document.fields["pages"] == 2
    assert SweepLogs(documents).latest()[0] == LOG


def test_only_one_of_two_begins():
    """Of two sweeps that begin at one moment, one is the newest; the other is told."""
    logs = SweepLogs(MemoryDocuments(Blobs()))
    assert logs.latest() == (None, None)
    logs.begin(LOG, None)
    with pytest.raises(Conflict):
        logs.begin(SweepLog("s-2", START, START), None)


def test_pointer_to_a_deleted_sweep():
    """The pointer alone is known when the sweep's blob was deleted."""
    documents = MemoryDocuments(Blobs())
    documents.write(LATEST, {"id": "gone"}, after=None)
    newest, pointer = SweepLogs(documents).latest()

    assert newest is None
    assert pointer


@pytest.mark.parametrize(
    "damage",
    [
        {"users": "many"},
        {"page": None},
        {"startedAt": 5},
        {"startedAt": "soon"},
        {"updatedAt": ""},
        {"status": ["running"]},
        {"changed": [1]},
        {"changed": {"new": "x"}},
        {"users": 1, "expectedUsers": 10**18},
        {"users": 1, "expectedUsers": 10**400},
    ],
    ids=lambda damage: str(damage)[:40],
)
def test_damaged_sweep(damage: dict[str, Any]):
    """A sweep that a person has written into is none: the next one begins, the console goes on."""
    documents = MemoryDocuments(Blobs())
    SweepLogs(documents).begin(LOG, None)
    document = documents.read("sweeps/s-1.json")
    assert document
    documents.write("sweeps/s-1.json", {**document.fields, **damage}, after=document)

    assert SweepLogs(documents).latest()[0] is None


@pytest.mark.parametrize(("expected", "minutes"), [(200, 4), (50, 2)])
def test_eta(expected: int, minutes: int):
    """The rest takes as long a user as what is done, if there are as many as last time."""
    log = SweepLog("s", START, LOG.updated_at, users=100, expected_users=expected)

    assert log.eta() == (NOON + timedelta(minutes=minutes)).isoformat()


def test_no_eta_without_a_sweep_before():
    """Nobody can tell how long the first sweep takes."""
    assert LOG.eta() == ""
