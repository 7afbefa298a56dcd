"""The members of EXCLUDED_GROUP_ID, as one list for a whole sweep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol

from shared.graph.errors import code_and_message
from shared.graph.groups import EXCLUDED, listed, path, read_group
from shared.graph.user_listing import MEMBERS_HEADERS, NO_LIST, PAGE, UserPage, members_path
from shared.microsoft365 import pages
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault
from shared.user import is_object_id

# About 200,000 members: 20 MB, and a minute or two of Graph calls.
MOST_PAGES = 200
# Longer than a page of a sweep takes, and shorter than the time between two sweeps.
GOOD_FOR = timedelta(minutes=15)


class Listing(Protocol):
    """See UserListing."""

    def page(self, path: str = "") -> UserPage: ...


class _Members(NamedTuple):
    ids: frozenset[int]
    read_at: datetime


class MarkedListing:
    """
    A listing of users that also marks those in EXCLUDED_GROUP_ID. Threads may share it.

    The members are listed at the first page, and again after GOOD_FOR: one call per 999 members
    and one for the group. As with any list of members (see UserListing), absence from it proves
    nothing: a user missing from it is checked, and the worker reads the membership itself. A user
    who has just left the group and is still listed is found by the next sweep.
    """

    def __init__(
        self, listing: Listing, http: Http, group: str, clock: Callable[[], datetime]
    ) -> None:
        self._listing = listing
        self._http = http
        self._group = group
        self._clock = clock
        self._reading = threading.Lock()
        self._last: _Members | None = None

    def page(self, path: str = "") -> UserPage:
        """
        The page at *path*, the first by default.

        Raises what the listing raises; Refused if the group does not exist, its members are hidden,
        or their list does not end: a page is returned only if its exclusions are known.
        """
        held = self._members(anew=not path)
        found = self._listing.page(path)
        users = [
            replace(user, is_excluded=True) if _number(user.id) in held else user
            for user in found.users
        ]
        return replace(found, users=users)

    def among(self, user_ids: Sequence[str]) -> set[str]:
        """Those of *user_ids* who are in the group. Raises as `page` does."""
        held = self._members(anew=False)
        # A person may have put a blob with any name among the states.
        ids = (each for each in user_ids if is_object_id(each))
        return {user_id for user_id in ids if _number(user_id) in held}

    def _members(self, *, anew: bool) -> frozenset[int]:
        with self._reading:
            now, last = self._clock(), self._last
            if anew or last is None or abs(now - last.read_at) > GOOD_FOR:
                # Free the old list before reading the new one.
                self._last = None
                self._last = last = _Members(self._read(), now)
            return last.ids

    def _read(self) -> frozenset[int]:
        read_group(self._http.send("GET", f"/v1.0{path(self._group)}"), EXCLUDED)
        first = members_path(self._group, "id", PAGE)
        found = pages.follow(first, self._page, of=f"members of {EXCLUDED}", most=MOST_PAGES)
        return frozenset(each for ids in found for each in ids)

    def _page(self, path: str) -> tuple[list[int], str]:
        reply = self._http.send("GET", path, headers=MEMBERS_HEADERS)
        if not reply.ok:
            raise fault(reply, *code_and_message(reply))
        following = reply.read(lambda fields: str(fields.get("@odata.nextLink") or ""))
        return reply.read(_ids), self._http.path_of(following)


def _ids(fields: Any) -> list[int]:
    items = listed(fields)
    texts = [item.get("id") for item in items if isinstance(item, dict)]
    ids = [_number(each) for each in texts if isinstance(each, str) and is_object_id(each)]
    if len(items) >= NO_LIST and not ids:
        raise TypeError("No member on this page can be parsed.")
    return ids


def _number(object_id: str) -> int:
    # 48 bytes each, a third of the string.
    return int(object_id.replace("-", ""), 16)
