"""Everything outside the copiers, as a value: Exchange, SharePoint, the state blob, the queue."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from shared.errors import Conflict, NoPhoto
from shared.graph.client import Fetched
from shared.storage.user_state import NO_PHOTO, SECOND_LOOK_AFTER, SYNCED, Claim, Stored, UserState
from shared.user import User
from shared.written_file import WrittenFile

ID = "00000000-0000-0000-0000-00000000000a"
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
NO_PHOTO_SENTENCE = "The user has no photo in Exchange."
USER = User(ID, "anne@contoso.com", account_enabled=True, is_guest=False)
_NONE = NoPhoto(NO_PHOTO_SENTENCE)
# The three files, then what makes pages show them.
PLACES = ("small", "middle", "large", "profile")
SHOWN = b"shown"
PICTURE_URL = "https://contoso-my.sharepoint.com/…"

Call = tuple[Any, ...]
T = TypeVar("T")


def altered(value: T, **changes: Any) -> T:
    """A faster `dataclasses.replace`, for classes without a __post_init__."""
    copy = object.__new__(type(value))
    copy.__dict__.update(value.__dict__, **changes)
    return copy


def renditions(photo: bytes) -> tuple[bytes, ...]:
    return b"S:" + photo, b"M:" + photo, b"L:" + photo


def shown(photo: bytes) -> tuple[bytes, ...]:
    """What all places hold once *photo* is copied."""
    return *renditions(photo), SHOWN


def ticks(moment: datetime) -> float:
    """The monotonic clock, which is the same for all machines here."""
    return (moment - NOON).total_seconds()


def sha256(photo: bytes) -> str:
    return hashlib.sha256(photo).hexdigest()


class Late(NamedTuple):
    """A write that got no answer, but will be carried out by `until`, in ticks."""

    writer: int
    place: int
    content: bytes
    until: float


@dataclass(frozen=True)
class World:
    """Everything outside the copiers."""

    photo: bytes | None
    uploads: int
    etag_of_content: bool = False  # else new at every upload, also of identical bytes
    blob: Stored | None = None
    written_at: datetime = NOON
    deleted: bool = False  # the blob, at any time
    places: tuple[bytes, ...] = (b"",) * 4
    now: datetime = NOON
    versions: int = 1
    queue: tuple[str, ...] = ()
    late: tuple[Late, ...] = ()
    writers: tuple[int, ...] = ()
    seen: bool = False  # a run has seen the current photo
    superfluous: bool = False
    missed_since: datetime | None = None  # the first check without a photo since the last copy
    there_since_claim: bool = False  # the photo, without interruption
    holder: int = 0  # the copier with the claim
    removal: str = ""  # what was wrong with a removal
    apart: timedelta = timedelta(0)  # the clocks of two copiers, at most

    def changed(self, photo: bytes | None) -> World:
        return replace(
            self,
            photo=photo,
            uploads=self.uploads + 1,
            seen=False,
            there_since_claim=self.there_since_claim and photo is not None,
        )

    def with_etags_of_content(self) -> World:
        """The same world, but equal bytes have equal etags."""
        blob = self.blob
        if blob and blob.state.source_etag:
            etag = f'W/"{blob.state.sha256}"'
            blob = blob._replace(state=replace(blob.state, source_etag=etag))
        return altered(self, blob=blob, etag_of_content=True)

    def _find(self, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        there = zip(wanted, self.places, strict=False)
        return tuple(known if known.holds(content) else None for known, content in there)

    def written(self, writer: int, place: int, content: bytes) -> World:
        places = (*self.places[:place], content, *self.places[place + 1 :])
        writers = self.writers if self.writers[-1:] == (writer,) else (*self.writers, writer)
        return altered(self, places=places, writers=writers)

    def perform(self, copier: int, call: Call) -> tuple[World, Any]:
        """Carry out one *call* of a copier; returns the world after it, and the answer or error."""
        match call:
            case ("photo_etag",):
                return altered(self, seen=True)._answered(lambda photo: self.etag)
            case ("user_and_photo",):
                # Bytes and etag at one moment: a photo that is restored in between is not noticed.
                return self._answered(lambda photo: Fetched(USER, photo, self.etag))
            case ("read",):
                return self, self._read()
            case ("find", wanted):
                return self, self._find(wanted)
            case ("write", state, version):
                return self._write(copier, state, version)
            case ("put", place, content, checked):
                return self._put(copier, place, content, checked)
            case ("send", text):
                return altered(self, queue=(*self.queue, text)), None
        raise AssertionError(call)

    def _answered(self, answer: Callable[[bytes], Any]) -> tuple[World, Any]:
        if self.photo is None:
            return altered(self, missed_since=self.missed_since or self.now), _NONE
        return self, answer(self.photo)

    def _read(self) -> Stored | None:
        """The blob as storage returns it: a claim's age is by storage's own clock."""
        if not self.blob or not self.blob.state.claim:
            return self.blob
        claim = self.blob.state.claim
        left = max(0.0, claim.seconds + 1 - ticks(self.now) + ticks(self.written_at))
        state = altered(self.blob.state, claim=replace(claim, left=left))
        return self.blob._replace(state=state)

    def may_pass(self, time: timedelta) -> bool:
        """Whether *time* can pass without the deadline of a pending write."""
        return all(ticks(self.now + time) <= late.until for late in self.late)

    def without_blob(self) -> World:
        return altered(self, blob=None, deleted=True)

    def _write(self, copier: int, state: UserState, version: str | None) -> tuple[World, Any]:
        if version != (self.blob and self.blob.version):
            return self, Conflict("Another run wrote the user's state first.")
        stored = Stored(state, f"v{self.versions}")
        world = altered(self, blob=stored, versions=self.versions + 1, written_at=self.now)
        if not state.claim:
            missed_since = None if state.status == SYNCED else self.missed_since
            world = altered(world, holder=0, missed_since=missed_since)
        elif self.holder != copier:
            world = altered(world, holder=copier, there_since_claim=self.photo is not None)
        return world, stored.version

    def _put(self, copier: int, place: int, content: bytes, checked: float) -> tuple[World, bool]:
        """Whether it was sent: if time passed since the claim was checked, it is checked again."""
        if ticks(self.now) != checked:
            return self, False
        if not content:
            removed = altered(self, removal=self._wrong_removal())
            return removed.written(copier, place, content), True
        there_already = place == 0 and self.places[:3] == renditions(content[2:])
        world = altered(self, superfluous=self.superfluous or there_already)
        return world.written(copier, place, content), True

    def _wrong_removal(self) -> str:
        if self.deleted:
            # Another run may have written in between, and neither can know of the other.
            return self.removal
        if self.there_since_claim:
            return "a picture was removed whose photo was there"
        earliest = SECOND_LOOK_AFTER - self.apart
        if self.missed_since is None or self.now - self.missed_since < earliest:
            return "a picture was removed at the first look"
        return self.removal

    @property
    def etag(self) -> str:
        if self.etag_of_content:
            return f'W/"{sha256(self.photo or b"")}"'
        return f'W/"{self.uploads}"'


def synced(photo: bytes) -> World:
    """SharePoint shows *photo*, and the state says so."""
    world = World(photo, uploads=1, places=shown(photo))
    state = UserState(
        ID,
        user_principal_name="anne@contoso.com",
        status=SYNCED,
        sha256=sha256(photo),
        source_etag=world.etag,
        picture_url=PICTURE_URL,
        sizes="s",
        recipe=1,
    )
    return altered(world, blob=Stored(state, "v0"))


def without_photo(before: bytes) -> World:
    """The user deleted *before* an hour ago; SharePoint still has it, and the state says so."""
    world = synced(before).changed(None)
    assert world.blob
    since = NOON - timedelta(hours=1)
    state = replace(
        world.blob.state,
        status=NO_PHOTO,
        reason=NoPhoto.code,
        detail=NO_PHOTO_SENTENCE,
        source_etag="",
        missing_since=since,
        attempt=1,
    )
    return altered(world, blob=Stored(state, "v0"), missed_since=since)


def half_written(before: bytes, after: bytes) -> World:
    """A run that copied *after* died after its first file; its claim has expired."""
    world = synced(before)
    assert world.blob
    claim = Claim("another", 300.0)
    blob = Stored(altered(world.blob.state, claim=claim), "v0")
    places = (*shown(after)[:1], *shown(before)[1:])
    long_ago = NOON - timedelta(hours=1)
    return altered(world.changed(after), blob=blob, written_at=long_ago, places=places)
