"""What sweeps/<id>.json says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Conflict
from shared.storage.documents import Document
from shared.sweeping.sweep_log import LATEST, SweepLog, SweepLogs
from tests.machine.storage import Blobs, MemoryDocuments
from tests.shared.sweeping.sweeping_alone import NOON

START = NOON.isoformat()
LOG = SweepLog("s-1", START, (NOON + timedelta(minutes=2)).isoformat(), users=100, links=2)


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
        {"users": 10**11},
        {"gone": -1},
        {"stalls": True},
        {"changed": {"new": float("inf")}},
        {"changed": {"new": 10**11}},
        {"id": "s-2"},
        {"status": "paused"},
        {"removals": "perhaps"},
        {"forgetting": "perhaps"},
        {"page": 0},
        {"page": 10_002},
        {"parts": [7]},
        {"parts": "s-1"},
        {"parts": ["users/anne.json"]},
        {"parts": ["sweeps/s-2/found-0123456789abcdef"]},
        {"parts": ["sweeps/s-1/found-0123456789abcdef/../../users/anne.json"]},
        {"lists": ["../gone-1"]},
        {"lists": [None]},
        {"listedTo": "anne"},
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


class Guarded(MemoryDocuments):
    """Nobody asks for a name that leads out of the folder."""

    def read(self, name: str) -> Document | None:
        assert ".." not in name
        return super().read(name)


@pytest.mark.parametrize(
    "pointer",
    [{"id": "../users/anne"}, {"id": "latest"}, {"id": 7}, {"id": ["s-1"]}, {"id": ""}, {}],
    ids=str,
)
def test_pointer_that_leads_elsewhere(pointer: dict[str, Any]):
    """A pointer to what is no sweep is read no further, and the next sweep replaces it."""
    documents = Guarded(Blobs())
    documents.write(LATEST, pointer, after=None)
    documents.write("users/anne.json", {"id": "../users/anne"}, after=None)
    logs = SweepLogs(documents)
    newest, read = logs.latest()
    assert newest is None
    logs.begin(LOG, read)

    assert logs.latest()[0] == LOG


@pytest.mark.parametrize("kept", [7, None, {"a": 1}, "a"], ids=str)
def test_damaged_list_of_who_is_gone(kept: Any):
    """What is no list names nobody; in a list, what is no name is passed over."""
    documents = MemoryDocuments(Blobs())
    logs = SweepLogs(documents)
    documents.write("sweeps/s-1/gone-1.json", {"userIds": kept}, after=None)
    documents.write("sweeps/s-1/gone-2.json", {"userIds": [kept, ["b"], "c"]}, after=None)
    first, second = logs.gone(replace(LOG, lists=["gone-1", "left-1", "gone-2"]))

    assert first == []
    assert second[-1] == "c"
    assert all(isinstance(each, str) for each in second)


def test_lists_of_an_older_version():
    """One that named its lists by their pages can still be released."""
    documents = MemoryDocuments(Blobs())
    documents.write("sweeps/s-1/gone-2.json", {"userIds": ["a"]}, after=None)

    assert list(SweepLogs(documents).gone(replace(LOG, page=4))) == [[], ["a"], []]


def test_why_a_sweep_is_set_aside(caplog: pytest.LogCaptureFixture):
    """The log names the sweep and what is wrong with it."""
    documents = MemoryDocuments(Blobs())
    logs = SweepLogs(documents)
    logs.begin(LOG, None)
    _, read = logs.read("s-1") or (None, None)
    assert read
    documents.write("sweeps/s-1.json", {**read.fields, "users": 10**11}, after=read)

    assert logs.read("s-1") is None
    assert 'sweep.set_aside id=s-1 why="Not a whole number from 0 to 1000000000."' in caplog.text


def test_eta_beyond_the_calendar():
    """A sweep that would end after all years says so by saying nothing."""
    end = (NOON + timedelta(days=20)).isoformat()
    log = SweepLog("s", START, end, users=1, expected_users=1_000_000_000)

    assert log.eta() == ""


@pytest.mark.parametrize(("expected", "minutes"), [(200, 4), (50, 2)])
def test_eta(expected: int, minutes: int):
    """The rest takes as long a user as what is done, if there are as many as last time."""
    log = SweepLog("s", START, LOG.updated_at, users=100, expected_users=expected)

    assert log.eta() == (NOON + timedelta(minutes=minutes)).isoformat()


def test_no_eta_without_a_sweep_before():
    """Nobody can tell how long the first sweep takes."""
    assert LOG.eta() == ""


def test_how_many_users_are_known():
    """As long as the newest sweep has counted fewer, those of the one before are told."""
    logs = SweepLogs(MemoryDocuments(Blobs()))
    assert logs.counted_users() == 0
    logs.begin(replace(LOG, in_scope=900), None)
    assert logs.counted_users() == 900
    logs.begin(SweepLog("s-2", START, START, in_scope=20, previous="s-1"), logs.latest()[1])

    assert logs.counted_users() == 900
