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
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from shared.errors import BadRequest
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import FAILED

# An answer must come in seconds whatever the filter: a longer search goes on with its token.
CALLS_A_PAGE = 4
USERS_A_CALL = 5000
LARGEST_PAGE = 200
# 100,000 users are 20 calls.
MOST_CALLS = 100
# Azure's are far shorter.
_LONGEST_MARKER = 4000
_FIRST = ("", "", "")
_NO_TOKEN = "The token is none that this listing gave: start without one."


class Census(NamedTuple):
    """
    How many users there are of each status, who failed last, the newest first, how many differ in
    SharePoint, and how many show a picture of ours, as far as a listing tells. `dismissed` failures
    are in the counts, and not among those who failed last.
    """

    counts: Counter[str]
    failures: list[Entry]
    differ: int
    pictures: int
    dismissed: int = 0


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
        differs: bool = False,
        changes: Collection[str] | None = None,
        token: str = "",
        size: int = 50,
    ) -> RosterPage:
        """
        Up to *size* users who match, by name, after at most CALLS_A_PAGE listing calls.

        Storage lists by object id, so each USERS_A_CALL of a listing are in order by themselves:
        a tenant of that size is wholly. A page may be short, or even empty, and still have a token:
        the search is not over. Raises BadRequest for a token that is none of ours, ServiceDown,
        AccessDenied.
        """
        at, last = _read(token)
        found: list[Entry] = []
        wanted: dict[str, Any] = {"gone": gone, "differs": differs, "changes": changes}
        for _ in range(CALLS_A_PAGE):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            fitting = (each for each in leaf.entries if each.matches(search, status, **wanted))
            following = (each for each in fitting if _place(each) > last)
            room = size - len(found)
            chosen = heapq.nsmallest(room + 1, following, key=_place)
            found += chosen[:room]
            if len(chosen) > room:
                return RosterPage(found, _dump(at, _place(found[-1]) if room else last))
            at, last = leaf.next, _FIRST
            if not at:
                return RosterPage(found, "")
        return RosterPage(found, _dump(at, _FIRST))

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

    def census(self, failures: int, hides: Callable[[Entry], bool] = lambda entry: False) -> Census:
        """Everybody by status, and the newest *failures* that nobody *hides*, in one listing."""
        counts: Counter[str] = Counter()
        newest: list[Entry] = []
        at, differ, pictures, dismissed = "", 0, 0, 0
        for _ in range(MOST_CALLS):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            counts.update(each.status for each in leaf.entries)
            differ += sum(bool(each.damage) for each in leaf.entries)
            pictures += sum(each.has_picture for each in leaf.entries)
            failed = [each for each in leaf.entries if each.status == FAILED]
            told = [each for each in failed if not hides(each)]
            dismissed += len(failed) - len(told)
            newest = heapq.nlargest(failures, [*newest, *told], key=lambda one: one.checked_at)
            at = leaf.next
            if not at:
                break
        return Census(counts, newest, differ, pictures, dismissed)


def _place(entry: Entry) -> tuple[str, str, str]:
    """Where an entry stands in a list by name."""
    name, upn = entry.display_name.casefold(), entry.user_principal_name.casefold()
    return name or upn, upn, entry.user_id


def _dump(at: str, last: tuple[str, str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, *last]).encode()).decode()


def _read(token: str) -> tuple[str, tuple[str, str, str]]:
    """The storage's own marker, and the place behind which a page begins."""
    if not token:
        return "", _FIRST
    try:
        at, name, upn, user_id = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadRequest(_NO_TOKEN) from error
    texts = (at, name, upn, user_id)
    if not all(isinstance(each, str) for each in texts) or not _is_marker(at):
        raise BadRequest(_NO_TOKEN)
    return at, (name, upn, user_id)


def _is_marker(text: str) -> bool:
    """Whether *text* can be one of the storage's own; others make its client fail and try again."""
    return text.isprintable() and len(text) <= _LONGEST_MARKER
