"""
Lists what is known of all users without reading their states.

Status, names and times of every user also stand in the metadata of the state blob, so that 5,000
users cost one call (Azure Storage: List Blobs, documented).
"""

from __future__ import annotations

import base64
import heapq
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote

from shared.errors import LONGEST_SENTENCE, BadRequest
from shared.state import FAILED, UserState

# An answer must come in seconds whatever the filter: a longer search goes on with its token.
CALLS_A_PAGE = 4
USERS_A_CALL = 5000
LARGEST_PAGE = 200
# 100,000 users are 20 calls.
MOST_CALLS = 100
# All metadata of a blob is 8 KB at most (Azure Storage: Set Blob Metadata, documented); so long
# these three stay within it whatever they are written in. A sentence may tell more before it, such
# as that it was waited for a day; Entra's own limit for a name is 256 (documented).
_LONGEST_DETAIL = LONGEST_SENTENCE + 100
_LONGEST_NAME = 256
# No percent-encoded text begins so.
_PACKED = "="
# Azure's are far shorter.
_LONGEST_MARKER = 4000


@dataclass(frozen=True)
class Entry:
    """
    One user in a listing; times are ISO 8601, empty when there is none. `missing_since` is told
    while SharePoint may show a picture of ours whose photo is gone.
    """

    user_id: str
    user_principal_name: str
    display_name: str
    status: str
    reason: str
    detail: str
    checked_at: str
    synced_at: str
    missing_since: str = ""

    def matches(self, search: str, status: str, *, gone: bool = False) -> bool:
        """Whether *search* begins the UPN, the object id, or a word of the name."""
        if (status and self.status != status) or (gone and not self.missing_since):
            return False
        wanted = search.casefold().strip()
        texts = [self.user_principal_name, self.user_id, *self.display_name.split()]
        texts.append(self.display_name)
        return any(text.casefold().startswith(wanted) for text in texts)


def describe(state: UserState) -> dict[str, str]:
    """
    The metadata of a state blob: ASCII only, as Azure Storage wants it (documented).

    Nothing empty is in it: whether each way into a storage account takes that, nobody says.
    """
    told = {
        "upn": _ascii(state.user_principal_name[:_LONGEST_NAME]),
        "name": _ascii(state.display_name[:_LONGEST_NAME]),
        "status": state.status,
        "reason": state.reason,
        "detail": _ascii(state.detail[:_LONGEST_DETAIL]),
        "checked": _time(state.checked_at),
        "synced": _time(state.synced_at),
        "missing": _time(state.missing_since if state.picture_url else None),
    }
    return {name: text for name, text in told.items() if text}


def entry(user_id: str, metadata: Mapping[str, str]) -> Entry:
    """A user as the metadata of the state blob describes one."""
    read = {key.lower(): value or "" for key, value in metadata.items()}
    return Entry(
        user_id=user_id,
        user_principal_name=_text(read.get("upn", "")),
        display_name=_text(read.get("name", "")),
        status=read.get("status", ""),
        reason=read.get("reason", ""),
        detail=_text(read.get("detail", "")),
        checked_at=read.get("checked", ""),
        synced_at=read.get("synced", ""),
        missing_since=read.get("missing", ""),
    )


def _ascii(text: str) -> str:
    """*text* percent-encoded, which people can read; in base64 behind a mark if that is shorter."""
    # A name that somebody has cut off may end in half of a character, which no encoding has.
    quoted = quote(text, errors="replace")
    packed = _PACKED + base64.b64encode(text.encode(errors="replace")).decode()
    return min(quoted, packed, key=len)


def _text(told: str) -> str:
    """What `_ascii` made something of; whatever else stands there, as it stands."""
    if not told.startswith(_PACKED):
        return unquote(told)
    try:
        return base64.b64decode(told.removeprefix(_PACKED), validate=True).decode()
    except ValueError:
        return told


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""


class Leaf(NamedTuple):
    """Some entries, and the storage's own token for what follows; empty after the last."""

    entries: list[Entry]
    next: str


class Census(NamedTuple):
    """How many users there are of each status, and who failed last, the newest first."""

    counts: Counter[str]
    failures: list[Entry]


class SetAside(NamedTuple):
    """How many messages could not be understood, and the newest: name, time, body and reason."""

    total: int
    newest: list[dict[str, str]]


class Metadata(Protocol):
    """The listing half of the state store. Errors: ServiceDown, AccessDenied."""

    def leaf(self, token: str, size: int) -> Leaf: ...


@dataclass(frozen=True)
class RosterPage:
    """Entries that match, and a token for the rest; `complete` when nothing is left to search."""

    entries: list[Entry]
    token: str

    @property
    def complete(self) -> bool:
        return not self.token


class Roster:
    """Searches users page by page."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    def page(
        self,
        *,
        search: str = "",
        status: str = "",
        gone: bool = False,
        token: str = "",
        size: int = 50,
    ) -> RosterPage:
        """
        Up to *size* users who match, after at most CALLS_A_PAGE listing calls.

        A page may be short, or even empty, and still have a token: the search is not over.
        Raises BadRequest for a token that is none of ours, ServiceDown, AccessDenied.
        """
        at, skip = _read(token)
        found: list[Entry] = []
        for _ in range(CALLS_A_PAGE):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            for number, entry in enumerate(leaf.entries):
                if number >= skip and entry.matches(search, status, gone=gone):
                    if len(found) == size:
                        return RosterPage(found, _dump(at, number))
                    found.append(entry)
            at, skip = leaf.next, 0
            if not at:
                return RosterPage(found, "")
        return RosterPage(found, _dump(at, 0))

    def find(self, upn: str) -> Entry | None:
        """Who had this UPN when last looked at, after at most MOST_CALLS listing calls."""
        token = ""
        for _ in range(MOST_CALLS // CALLS_A_PAGE):
            page = self.page(search=upn, token=token, size=LARGEST_PAGE)
            for each in page.entries:
                if each.user_principal_name.casefold() == upn.casefold():
                    return each
            token = page.token
            if page.complete:
                break
        return None

    def census(self, failures: int) -> Census:
        """Everybody by status, and the newest *failures*, in one listing of all."""
        counts: Counter[str] = Counter()
        newest: list[Entry] = []
        at = ""
        for _ in range(MOST_CALLS):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            counts.update(each.status for each in leaf.entries)
            failed = (each for each in leaf.entries if each.status == FAILED)
            newest = heapq.nlargest(failures, [*newest, *failed], key=lambda one: one.checked_at)
            at = leaf.next
            if not at:
                break
        return Census(counts, newest)


def _dump(at: str, skip: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, skip]).encode()).decode()


def _read(token: str) -> tuple[str, int]:
    if not token:
        return "", 0
    try:
        at, skip = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest("The token is none that this listing gave: start without one.") from error
    if not isinstance(at, str) or not isinstance(skip, int) or not _is_marker(at):
        raise BadRequest("The token is none that this listing gave: start without one.")
    return at, skip


def _is_marker(text: str) -> bool:
    """Whether *text* can be one of the storage's own; others make its client fail and try again."""
    return text.isprintable() and len(text) <= _LONGEST_MARKER
