"""
Lists what is known about all users without reading their states.

The metadata of each state blob also hold the user's status, names and times, so that 5,000 users
cost one call (Azure Storage: List Blobs, documented).
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

# An answer must come within seconds, whatever the filter: a longer search continues with its token.
CALLS_A_PAGE = 4
USERS_A_CALL = 5000
LARGEST_PAGE = 200
# 100,000 users are 20 calls.
MOST_CALLS = 100
# Azure's are far shorter.
_LONGEST_MARKER = 4000
_FIRST = ("", "", "")
_NO_TOKEN = "This token is not from this list. Start again without a token."


class Census(NamedTuple):
    """
    How many users have each status, who failed last, newest first, how many differ in SharePoint,
    and how many show a picture of ours, as far as a listing shows. `dismissed` failures are in
    `counts` but not in `failures`.
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
    """
    Entries that match, and a token for the rest; `complete` if nothing is left to search.

    With `in_batches` they are sorted by name only within each USERS_A_CALL that storage lists.
    """

    entries: list[Entry]
    token: str
    in_batches: bool = False

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

        Storage lists by object id, so only each batch of USERS_A_CALL is sorted: a tenant of that
        size is sorted as a whole. A page may be short, or even empty, and still have a token: the
        search is not over. Raises BadRequest for a token that is not ours, ServiceDown,
        AccessDenied.
        """
        at, last = _read(token)
        in_batches = at != ""
        found: list[Entry] = []
        wanted: dict[str, Any] = {"gone": gone, "differs": differs, "changes": changes}
        for _ in range(CALLS_A_PAGE):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            in_batches = in_batches or leaf.next != ""
            fitting = (each for each in leaf.entries if each.matches(search, status, **wanted))
            following = (each for each in fitting if _place(each) > last)
            room = size - len(found)
            chosen = heapq.nsmallest(room + 1, following, key=_place)
            found += chosen[:room]
            if len(chosen) > room:
                last = _place(found[-1]) if room else last
                return RosterPage(found, _dump(at, last), in_batches)
            at, last = leaf.next, _FIRST
            if not at:
                return RosterPage(found, "", in_batches)
        return RosterPage(found, _dump(at, _FIRST), in_batches)

    def find(self, upn: str) -> Entry | None:
        """The user who had this UPN at the last check, after at most MOST_CALLS listing calls."""
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
        """Everyone by status, and the newest *failures* that are not hidden, in one listing."""
        counts: Counter[str] = Counter()
        newest: list[Entry] = []
        at, differ, pictures, dismissed = "", 0, 0, 0
        for _ in range(MOST_CALLS):
            leaf = self._metadata.leaf(at, USERS_A_CALL)
            counts.update(each.status for each in leaf.entries)
            differ += sum(bool(each.damage) for each in leaf.entries)
            pictures += sum(each.has_picture for each in leaf.entries)
            failed = [each for each in leaf.entries if each.status == FAILED]
            shown = [each for each in failed if not hides(each)]
            dismissed += len(failed) - len(shown)
            newest = heapq.nlargest(failures, [*newest, *shown], key=lambda one: one.checked_at)
            at = leaf.next
            if not at:
                break
        return Census(counts, newest, differ, pictures, dismissed)


def _place(entry: Entry) -> tuple[str, str, str]:
    """The sort key of an entry in a list by name."""
    name, upn = entry.display_name.casefold(), entry.user_principal_name.casefold()
    return name or upn, upn, entry.user_id


def _dump(at: str, last: tuple[str, str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([at, *last]).encode()).decode()


def _read(token: str) -> tuple[str, tuple[str, str, str]]:
    """Storage's own marker, and the position after which a page begins."""
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
    """Whether *text* can be one of storage's own; any other makes its client fail and try again."""
    return text.isprintable() and len(text) <= _LONGEST_MARKER
