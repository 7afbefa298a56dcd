"""Lists the users that PhotoSync looks after, page by page, from Microsoft Graph."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.graph import USER_FIELDS, User, read_user, said
from shared.http import Http, fault

# The largest page Graph gives (graph.md section 5, documented).
PAGE = 999


@dataclass(frozen=True)
class UserPage:
    """Some users, and the path of the next page; empty after the last."""

    users: list[User]
    next: str


class UserListing:
    """All users, or the members of one group, nested groups included."""

    def __init__(self, http: Http, group_id: str = "") -> None:
        self._http = http
        self._is_group = bool(group_id)
        source = "users"
        if group_id:
            source = f"groups/{group_id}/transitiveMembers/microsoft.graph.user"
        self._first = f"/v1.0/{source}?$select={USER_FIELDS}&$top={PAGE}"

    def page(self, path: str = "") -> UserPage:
        """
        The page at *path*, the first by default.

        Raises Throttled, ServiceDown, AccessDenied; Refused when Graph no longer knows *path*.
        """
        reply = self._http.send("GET", path or self._first)
        if not reply.ok:
            raise fault(reply, *said(reply))
        fields = reply.json()
        # The whole link is followed, never rebuilt (graph.md section 5, documented).
        following = self._http.path_of(str(fields.get("@odata.nextLink") or ""))
        members = [replace(read_user(item), in_group=self._is_group) for item in fields["value"]]
        return UserPage(members, following)
