"""Blob sweeps/<id>.json: its fields, damage by hand, and estimates."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import Conflict
from shared.storage.documents import Document
from shared.sweeping.sweep_log import LATEST, SweepLog, SweepLogs
from tests.machine.storage import Blobs, MemoryDocuments
from tests.shared.sweeping.sweeping_alone import MINUTE, NOON

START = NOON.isoformat()
LOG = SweepLog("s-1", START, (NOON + timedelta(minutes=2)).isoformat(), users=100, links=2)


class Guarded(MemoryDocuments):
    """Documents that refuse a name outside the folder."""

    def read(self, name: str) -> Document | None:
        assert ".." not in name
        return super().read(name)


@pytest.fixture
def documents() -> MemoryDocuments:
    return Guarded(Blobs())


@pytest.fixture
def logs(documents: MemoryDocuments) -> SweepLogs:
    return SweepLogs(documents)


def edit(documents: MemoryDocuments, **fields: Any) -> Document:
    """Change *fields* of the sweep's blob; returns the blob before that."""
    document = documents.read("sweeps/s-1.json")
    assert document
    documents.write("sweeps/s-1.json", {**document.fields, **fields}, after=document)
    return document


def test_it_is_read_as_it_was_written(documents: MemoryDocuments, logs: SweepLogs):
    """All fields come back, whatever else the blob says for people or newer versions."""
    logs.begin(LOG, None)

    assert edit(documents, later=1).fields["pages"] == 2
    assert logs.latest()[0] == LOG


def test_only_one_of_two_begins(logs: SweepLogs):
    """Of two sweeps that begin at the same moment, one is the newest; the other is refused."""
    assert logs.latest() == (None, None)
    logs.begin(LOG, None)
    with pytest.raises(Conflict):
        logs.begin(SweepLog("s-2", START, START), None)


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
def test_damaged_sweep(documents: MemoryDocuments, logs: SweepLogs, damage: dict[str, Any]):
    """A log damaged by hand counts as missing: the next sweep begins, and the console works."""
    logs.begin(LOG, None)
    edit(documents, **damage)

    assert logs.latest()[0] is None


def test_why_a_sweep_is_set_aside(
    documents: MemoryDocuments, logs: SweepLogs, caplog: pytest.LogCaptureFixture
):
    """The app's log names the sweep and what is wrong with it."""
    logs.begin(LOG, None)
    edit(documents, users=10**11)

    assert logs.read("s-1") is None
    assert 'sweep.set_aside id=s-1 why="Not a whole number from 0 to 1000000000."' in caplog.text


@pytest.mark.parametrize(
    "pointer",
    [
        {"id": "gone"},
        {"id": "../users/anne"},
        {"id": "latest"},
        {"id": 7},
        {"id": ["s-1"]},
        {"id": ""},
        {},
    ],
    ids=str,
)
def test_pointer_that_names_no_sweep(
    documents: MemoryDocuments, logs: SweepLogs, pointer: dict[str, Any]
):
    """A pointer to something else is not followed, and the next sweep replaces it."""
    documents.write(LATEST, pointer, after=None)
    documents.write("users/anne.json", {"id": "../users/anne"}, after=None)
    newest, read = logs.latest()
    assert newest is None
    assert read
    logs.begin(LOG, read)

    assert logs.latest()[0] == LOG


@pytest.mark.parametrize("kept", [7, None, {"a": 1}, "a"], ids=str)
def test_damaged_list_of_removals(documents: MemoryDocuments, logs: SweepLogs, kept: Any):
    """A value that is no list has no users; an entry that is no text is left out."""
    documents.write("sweeps/s-1/gone-1.json", {"userIds": kept}, after=None)
    documents.write("sweeps/s-1/gone-2.json", {"userIds": [kept, ["b"], "c"]}, after=None)
    first, second = logs.gone(replace(LOG, lists=["gone-1", "left-1", "gone-2"]))

    assert first == []
    assert second[-1] == "c"
    assert all(isinstance(each, str) for each in second)


def test_lists_of_an_older_version(documents: MemoryDocuments, logs: SweepLogs):
    """Lists that a version named by their pages can still be released."""
    documents.write("sweeps/s-1/gone-2.json", {"userIds": ["a"]}, after=None)

    assert list(logs.gone(replace(LOG, page=4))) == [[], ["a"], []]


@pytest.mark.parametrize(
    ("users", "expected", "taken", "minutes"),
    [
        pytest.param(100, 200, 2, 4, id="half done"),
        pytest.param(100, 50, 2, 2, id="more users than last time"),
        pytest.param(100, 0, 2, None, id="first sweep"),
        pytest.param(1, 1_000_000_000, 20 * 24 * 60, None, id="beyond the calendar"),
    ],
)
def test_eta(users: int, expected: int, taken: int, minutes: int | None):
    """The rest takes as long per user, if there are as many users as last time; else unknown."""
    last = (NOON + timedelta(minutes=taken)).isoformat()
    log = SweepLog("s", START, last, users=users, expected_users=expected)

    assert log.eta() == ("" if minutes is None else (NOON + minutes * MINUTE).isoformat())


def test_how_many_users_are_known(logs: SweepLogs):
    """While the newest sweep has counted fewer users, the previous sweep's number counts."""
    assert logs.counted_users() == 0
    logs.begin(replace(LOG, in_scope=900), None)
    assert logs.counted_users() == 900
    logs.begin(SweepLog("s-2", START, START, in_scope=20, previous="s-1"), logs.latest()[1])

    assert logs.counted_users() == 900
