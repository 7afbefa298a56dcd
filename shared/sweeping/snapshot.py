"""
What Graph said about each user in a sweep, in 22 bytes a user: the object id, and as much of the
answer as the decision needs (see `cover`). A stretch of pages is one part, sorted by id; parts are
stored as blobs.

A part's name is derived from its content, and a sweep's log names the parts that count. So two runs
over the same pages never overwrite each other's parts, and a part that was changed is never used.
"""

from __future__ import annotations

import bisect
import hashlib
import heapq
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice
from typing import NamedTuple, Protocol

from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, Refused, UnknownUser
from shared.storage import cover

_ID, _RECORD = 16, 16 + cover.MARK_BYTES
# Answers whose kind alone decides, by the number stored for them. A photo is stored as the mark of
# its etag, or as 0 if it has no etag.
_KINDS: dict[int, type[PhotoSyncError]] = {1: NoPhoto, 2: NoMailbox, 3: UnknownUser, 4: Refused}
_NUMBERS = {kind: number for number, kind in _KINDS.items()}


class Parts(Protocol):
    """Where parts are stored; see BlobDocuments. Errors: ServiceDown, AccessDenied."""

    def put_part(self, name: str, content: bytes) -> None: ...

    def part(self, name: str) -> bytes | None: ...

    def drop_part(self, name: str) -> None: ...


def can_hold(found: str | PhotoSyncError) -> bool:
    """Whether the snapshot can store *found*: not a missing or an unexpected answer."""
    return isinstance(found, str) or type(found) in _NUMBERS


class Part:
    """What Graph said about the users of some pages, until it is stored."""

    def __init__(self) -> None:
        self._pages: list[bytes] = []

    def __len__(self) -> int:
        return sum(map(len, self._pages)) // _RECORD

    def add(self, found: Mapping[str, str | PhotoSyncError]) -> None:
        """Add what was *found* on a page, by object id."""
        records = (_id(user_id) + _packed(answer) for user_id, answer in found.items())
        self._pages.append(b"".join(sorted(records)))

    def to_bytes(self) -> bytes:
        """The bytes to store, sorted by id; for a user on two pages the later page wins."""
        pages = (_Records(page).between(b"", b"") for page in reversed(self._pages))
        ordered = heapq.merge(*pages, key=_id_of)
        return b"".join(next(same) for _, same in groupby(ordered, key=_id_of))


class Found(NamedTuple):
    """
    The `answers` about some users, by object id; for a photo, its mark.

    `up_to` is the last id searched for; empty if the search reached the end.
    """

    answers: dict[str, str | PhotoSyncError]
    up_to: str


class Snapshot:
    """All parts of a sweep. Threads may share it."""

    def __init__(self, parts: Sequence[bytes] = ()) -> None:
        self._parts = [_Records(part) for part in parts]

    def between(self, after: str, up_to: str, most: int) -> Found:
        """
        What was found for the users with ids above *after*, up to *up_to*, or to the end if that is
        empty; at most the first *most* of them.
        """
        if not self._parts:
            return Found({}, up_to)
        low, high = (_id(each) if each else b"" for each in (after, up_to))
        inside = [part.between(low, high) for part in self._parts]
        # The later part wins for a user in two parts: a merge keeps their order.
        ordered = heapq.merge(*inside, key=_id_of)
        found = {record[:_ID]: record[_ID:] for record in islice(ordered, most)}
        more = next(ordered, None)
        # Include every record of the last user.
        while more is not None and more[:_ID] in found:
            found[more[:_ID]] = more[_ID:]
            more = next(ordered, None)
        answers = {_text(user): _unpacked(answer) for user, answer in found.items()}
        return Found(answers, up_to if more is None else next(reversed(answers)))


class SnapshotParts:
    """Stores parts, and caches those of one sweep. Threads may share it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._last: tuple[tuple[str, ...], Snapshot] = (), Snapshot()

    def keep(self, sweep_id: str, part: bytes) -> str:
        """Store *part*, and return its name. Raises ServiceDown."""
        name = f"sweeps/{sweep_id}/found-{_digest(part)}"
        self._parts.put_part(name, part)
        return name

    def read(self, names: Sequence[str]) -> Snapshot:
        """Read all these parts. Raises ServiceDown; Refused if one was changed or deleted."""
        wanted, (kept, snapshot) = tuple(names), self._last
        if kept != wanted:
            # Never hold two at once: each takes 22 MB for a million users.
            self._last = (), Snapshot()
            del kept, snapshot
            snapshot = Snapshot([self._read(name) for name in wanted])
            self._last = wanted, snapshot
        return snapshot

    def drop(self, names: Sequence[str]) -> None:
        """Delete these parts. Raises ServiceDown."""
        self._last = (), Snapshot()
        for name in names:
            self._parts.drop_part(name)

    def _read(self, name: str) -> bytes:
        content = self._parts.part(name)
        if content is None or not name.endswith(_digest(content)):
            raise Refused(
                f"{name}, where a sweep stores Graph's answers, was deleted or changed. "
                "Start a sweep or wait for the next one: it lists all users again."
            )
        return content


class _Records(Sequence[bytes]):
    """A part's records, read in place: a list of them would take four times the memory."""

    def __init__(self, part: bytes) -> None:
        self._part = part

    def __len__(self) -> int:
        return len(self._part) // _RECORD

    def __getitem__(self, number):  # type: ignore[no-untyped-def]
        return self._part[number * _RECORD : (number + 1) * _RECORD]

    def between(self, low: bytes, high: bytes) -> Iterator[bytes]:
        """The records with ids above *low*, up to *high* or to the end."""
        begin = bisect.bisect_right(self, low, key=_id_of) if low else 0
        end = bisect.bisect_right(self, high, key=_id_of) if high else len(self)
        return (self[number] for number in range(begin, end))


def _id_of(record: bytes) -> bytes:
    return record[:_ID]


def _id(user_id: str) -> bytes:
    return bytes.fromhex(user_id.replace("-", ""))


def _text(user: bytes) -> str:
    digits = user.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _packed(found: str | PhotoSyncError) -> bytes:
    if isinstance(found, str) and found:
        return bytes.fromhex(cover.mark(found))
    return (0 if isinstance(found, str) else _NUMBERS[type(found)]).to_bytes(cover.MARK_BYTES)


def _unpacked(answer: bytes) -> str | PhotoSyncError:
    kind = _KINDS.get(int.from_bytes(answer))
    if kind:
        return kind("Microsoft Graph said so when this sweep asked.")
    return answer.hex() if any(answer) else ""


def _digest(part: bytes) -> str:
    return hashlib.sha256(part).hexdigest()[:16]
