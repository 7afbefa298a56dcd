"""Lists the users in scope from Microsoft Graph, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.graph.client import USER_FIELDS, read_user
from shared.graph.errors import code_and_message
from shared.microsoft365 import pages
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault
from shared.user import User, is_object_id

# The largest page that Graph returns (graph.md section 5, documented).
PAGE = 999
# If a page has at least this many entries and none can be parsed, it is not a list of users. On a
# shorter page all may be malformed, such as the only user on the last page.
NO_LIST = 10
# Sent with every request for a group's members.
MEMBERS_HEADERS = {"ConsistencyLevel": "eventual"}


def members_path(group_id: str, fields: str, size: int) -> str:
    """Path of the first page of a group's users, nested groups included; see MEMBERS_HEADERS."""
    source = f"/v1.0/groups/{group_id}/transitiveMembers/microsoft.graph.user"
    # A cast is documented only together with $count and the header (graph.md section 5).
    return f"{source}?$select={fields}&$top={size}&$count=true"


@dataclass(frozen=True)
class UserPage:
    """
    Some users, and the path of the next page, empty after the last page.

    `set_aside` has a sentence for each user on the page who could not be parsed.
    """

    users: list[User]
    next: str
    set_aside: list[str] = field(default_factory=list)


class UserListing:
    """
    All users, or the members of one group, nested groups included.

    Members come from an index that may lag (graph.md section 5, documented). So a page only decides
    which users a sweep checks, and absence from it proves nothing. A user who just joined and is
    missing is found by the next sweep or by a notification. A user who just left and is still
    listed is refused by the worker, which reads the membership itself. A missing user keeps the
    picture.
    """

    def __init__(self, http: Http, group_id: str = "", *, size: int = PAGE) -> None:
        self._http = http
        self._headers: Mapping[str, str] = {}
        self._first = f"/v1.0/users?$select={USER_FIELDS}&$top={size}"
        if group_id:
            self._headers = MEMBERS_HEADERS
            self._first = members_path(group_id, USER_FIELDS, size)

    def page(self, path: str = "") -> UserPage:
        """
        The page at *path*, the first by default.

        Raises Throttled, ServiceDown, AccessDenied; Refused if Graph no longer accepts *path*.
        """
        reply = self._http.send("GET", path or self._first, headers=self._headers)
        if not reply.ok:
            raise fault(reply, *code_and_message(reply))
        return reply.read(self._page)

    def all_pages(self) -> Iterator[UserPage]:
        """Iterate over the pages, reading each on demand. Also raises EndlessList."""
        return pages.follow(self._first, self._with_next, of="users")

    def _with_next(self, path: str) -> tuple[UserPage, str]:
        page = self.page(path)
        return page, page.next

    def _page(self, fields: Any) -> UserPage:
        # Follow the link as it is, never rebuild it (graph.md section 5, documented).
        following = self._http.path_of(str(fields.get("@odata.nextLink") or ""))
        page = UserPage([], following)
        for item in fields["value"]:
            problem = _problem_with(item)
            if problem:
                page.set_aside.append(problem)
            else:
                page.users.append(read_user(item))
        if len(page.set_aside) >= NO_LIST and not page.users:
            raise TypeError("No user on this page can be parsed.")
        return page


def _problem_with(item: Any) -> str:
    """Why *item* cannot be parsed as a user, and who it may be; empty if it can."""
    if not isinstance(item, Mapping):
        return "An entry in the list of users is not a user."
    id_, upn = item.get("id"), _described(item, "userPrincipalName")
    if not isinstance(id_, str) or not is_object_id(id_):
        return f"A user has no object id: {_described(item, 'id')}, {upn}."
    if not isinstance(item.get("userPrincipalName"), str):
        return f"User {id_.lower()} cannot be read: {upn}."
    return ""


def _described(item: Mapping[str, Any], name: str) -> str:
    if name not in item:
        return f"{name} is missing"
    value = item[name]
    return f"{name} is null" if value is None else f"{name} is {value!r:.100}"
