"""Graph's answers in a sweep: stored in few bytes, sorted, and never confused with another's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    Refused,
    ServiceDown,
    UnknownUser,
)
from shared.storage import cover
from shared.sweeping.snapshot import Part, Snapshot, SnapshotParts, can_hold
from tests.machine.storage import Blobs, MemoryDocuments


def user(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def pack(found: Mapping[str, str | PhotoSyncError]) -> bytes:
    part = Part()
    part.add(found)
    return part.to_bytes()


class MemoryParts(MemoryDocuments):
    """Documents that record which parts are read."""

    def __init__(self) -> None:
        self.blobs = Blobs()
        super().__init__(self.blobs)
        self.reads: list[str] = []

    def part(self, name: str) -> bytes | None:
        self.reads.append(name)
        return super().part(name)


def test_a_user_takes_22_bytes():
    """A million users take 22 MB, in the blob and in memory."""
    everybody = {user(number): 'W/"1"' for number in range(1000)}

    assert len(pack(everybody)) == 22 * 1000


def test_answers_come_back():
    """An etag comes back as its mark, an absence as its kind."""
    absences: list[PhotoSyncError] = [NoPhoto("x"), NoMailbox("x"), UnknownUser("x"), Refused("x")]
    answers: list[str | PhotoSyncError] = ['W/"1"', "", *absences]
    found = {user(number): each for number, each in enumerate(answers)}
    stored = Snapshot([pack(found)]).between("", "", 99).answers

    assert [stored[user(0)], stored[user(1)]] == [cover.mark('W/"1"'), ""]
    assert [type(stored[user(n)]) for n in range(2, 6)] == [type(each) for each in absences]


@pytest.mark.parametrize("found", [ServiceDown("x"), AccessDenied("x")])
def test_unexpected_answer_cannot_be_stored(found: PhotoSyncError):
    """Neither a missing nor an unexpected answer is stored as one that decides."""
    assert not can_hold(found)


def test_users_between_two_ids():
    """Ids above the first, up to the second or to the end, in order over all parts."""
    parts = [pack({user(n): "e" for n in some}) for some in ((9, 1, 4), (3, 7), ())]
    snapshot = Snapshot(parts)

    def ids(after: str, up_to: str) -> list[str]:
        return list(snapshot.between(after, up_to, 99).answers)

    assert ids("", "") == [user(n) for n in (1, 3, 4, 7, 9)]
    assert ids(user(1), user(7)) == [user(n) for n in (3, 4, 7)]
    assert ids(user(2), user(2)) == []
    assert ids(user(7), "") == [user(9)]


def test_limit():
    """At most so many users are returned, and the id of the last."""
    snapshot = Snapshot([pack({user(n): "e" for n in range(0, 10, 2)}), pack({user(3): "e"})])
    found = snapshot.between("", "", 3)
    rest = snapshot.between(found.up_to, "", 3)

    assert (list(found.answers), found.up_to) == ([user(0), user(2), user(3)], user(3))
    assert (list(rest.answers), rest.up_to) == ([user(4), user(6), user(8)], "")


def test_later_part_wins():
    """For a user on two pages, Graph's second answer counts."""
    snapshot = Snapshot([pack({user(1): "old"}), pack({user(1): "new"})])
    found = snapshot.between("", "", 1)

    assert found.answers == {user(1): cover.mark("new")}
    assert found.up_to == ""


def test_parts_are_read_once():
    """An instance reads a sweep's parts once, and caches those of one sweep only."""
    kept = MemoryParts()
    parts = SnapshotParts(kept)
    names = [parts.keep("s-1", pack({user(n): "e"})) for n in range(3)]
    for _ in range(5):
        assert len(parts.read(names).between("", "", 9).answers) == 3

    assert kept.reads == names


def test_same_pages_have_the_same_name():
    """A repeated page is the same part; other findings are another part and overwrite nothing."""
    kept = MemoryParts()
    parts = SnapshotParts(kept)
    names = [parts.keep("s-1", pack({user(1): etag})) for etag in ("a", "a", "b")]

    assert names[0] == names[1] != names[2]
    assert len(kept.blobs.texts) == 2


@pytest.mark.parametrize("content", [None, b"", pack({user(1): "other"})], ids=str)
def test_changed_part_is_refused(content: bytes | None):
    """A part that was deleted or changed decides about no user."""
    kept = MemoryParts()
    parts = SnapshotParts(kept)
    name = parts.keep("s-1", pack({user(1): "e"}))
    parts.drop([name])
    if content is not None:
        kept.put_part(name, content)

    with pytest.raises(Refused, match="deleted or changed"):
        parts.read([name])
