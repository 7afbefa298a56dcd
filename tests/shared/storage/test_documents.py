"""Documents in real storage, which is Azurite."""

from __future__ import annotations

import time

import pytest

from shared.errors import Conflict
from shared.storage.blobs import Blobs

NAME = "sweeps/latest.json"


def test_written_and_read(documents):
    """A document is read as written, with the writer's version and storage's time."""
    assert documents.read(NAME) is None
    written = documents.write(NAME, {"id": "käse", "n": [1]}, after=None)
    read = documents.read(NAME)

    assert read[:2] == written[:2]
    assert written.fields == {"id": "käse", "n": [1]}
    assert abs(read.at - time.time()) < 60
    assert read.at == int(read.at)


def test_stale_version_is_a_conflict(documents):
    """A document is written or deleted only if it is still what was read."""
    first = documents.write(NAME, {"by": 0}, after=None)
    second = documents.write(NAME, {"by": 1}, after=first)
    for after in (None, first):
        with pytest.raises(Conflict):
            documents.write(NAME, {"by": 2}, after=after)
    with pytest.raises(Conflict):
        documents.delete(NAME, after=first)
    assert documents.read(NAME).fields == {"by": 1}

    documents.delete(NAME, after=second)
    assert documents.read(NAME) is None
    with pytest.raises(Conflict):
        documents.write(NAME, {"by": 3}, after=second)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff", b"7", b"null", b'"text"', b"[" * 200_000],
    ids=["empty", "cut", "not text", "number", "null", "text", "deep"],
)
def test_damaged_document(documents, damage, container):
    """It reads as empty, with a version that can be replaced."""
    Blobs(container).put(NAME, damage)

    read = documents.read(NAME)

    assert read.fields == {}
    assert documents.write(NAME, {"sound": True}, after=read)[:2] == documents.read(NAME)[:2]
