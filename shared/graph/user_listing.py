"""Lists the users that PhotoSync looks after, page by page, from Microsoft Graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared.graph.client import USER_FIELDS, read_user
from shared.graph.errors import said
from shared.microsoft365 import pages
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault
from shared.user import User

# The largest page Graph gives (graph.md section 5, documented).
PAGE = 999


@dataclass(frozen=True)
class UserPage:
    """Some users, and the path of the next page; empty after the last."""

    users: list[User]
    next: str


class UserListing:
    """
    All users, or the members of one group, nested groups included.

    Members come from an index that may be behind (graph.md section 5, documented), so who is on a
    page decides only whom a sweep looks at, and nothing is concluded from who is not. Whoever just
    joined and is missing is found by the next sweep, or by a notification; whoever just left and is
    listed still is refused by the worker, who asks for the membership itself; whoever is missing
    keeps the picture.
    """

    def __init__(self, http: Http, group_id: str = "", *, size: int = PAGE) -> None:
        self._http = http
        self._headers: dict[str, str] = {}
        source, counted = "users", ""
        if group_id:
            source = f"groups/{group_id}/transitiveMembers/microsoft.graph.user"
            # A cast is documented with both of these only, the header on every page.
            self._headers, counted = {"ConsistencyLevel": "eventual"}, "&$count=true"
        self._first = f"/v1.0/{source}?$select={USER_FIELDS}&$top={size}{counted}"

    def page(self, path: str = "") -> UserPage:
        """
        The page at *path*, the first by default.

        Raises Throttled, ServiceDown, AccessDenied; Refused when Graph no longer knows *path*.
        """
        reply = self._http.send("GET", path or self._first, headers=self._headers)
        if not reply.ok:
            raise fault(reply, *said(reply))
        return reply.read(self._page)

    def all_pages(self) -> Iterator[UserPage]:
        """Page after page, as far as they are asked for. Raises EndlessList besides."""
        return pages.follow(self._first, self._with_next, of="users")

    def _with_next(self, path: str) -> tuple[UserPage, str]:
        page = self.page(path)
        return page, page.next

    def _page(self, fields: Any) -> UserPage:
        # The whole link is followed, never rebuilt (graph.md section 5, documented).
        following = self._http.path_of(str(fields.get("@odata.nextLink") or ""))
        return UserPage([read_user(item) for item in fields["value"]], following)
