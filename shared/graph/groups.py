"""
The groups that settings name: whether each can be read, and whether a user is a member.

For a group that does not exist, or whose members are hidden, Graph may return an empty list of
members (graph.md section 5). So every membership request comes with a request for the group itself.
Only if the group exists and its members are visible does a user's absence mean no membership.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from shared.errors import AccessDenied, Refused
from shared.graph import batch
from shared.graph.errors import code_and_message
from shared.microsoft365.reply import Reply, fault
from shared.user import User

SYNC, EXCLUDED = "SYNC_GROUP_ID", "EXCLUDED_GROUP_ID"
MEMBERSHIP = "group"
_HIDDEN = "hiddenmembership"


class Group(NamedTuple):
    """A group that can be read."""

    id: str
    display_name: str


class Groups(NamedTuple):
    """
    The ids of the groups that restrict the scope, in lower case, empty if not set. Users not in
    `sync` and users in `excluded` are out of scope.
    """

    sync: str = ""
    excluded: str = ""

    def __bool__(self) -> bool:
        return bool(self.sync or self.excluded)

    @property
    def named(self) -> dict[str, str]:
        """The ids of the groups that are set, by the name of the setting."""
        both = {SYNC: self.sync, EXCLUDED: self.excluded}
        return {setting: group for setting, group in both.items() if group}

    def group_requests(self) -> list[dict[str, Any]]:
        """Requests for the groups themselves, for a batch."""
        return [batch.get(setting, path(group)) for setting, group in self.named.items()]

    def membership_request(self, user: str, *, key: str = MEMBERSHIP) -> dict[str, Any]:
        """A request, for the same batch, for the groups that contain the user at path *user*."""
        body = {"groupIds": list(self.named.values())}
        return batch.post(key, f"{user}/checkMemberGroups", body)

    def with_membership(
        self, user: User, answers: Mapping[str, Reply], *, key: str = MEMBERSHIP
    ) -> User:
        """
        *user*, just read from Graph, with the membership in *answers*.

        Raises Throttled, ServiceDown, AccessDenied, Refused; never UnknownUser.
        """
        if not self:
            return user
        for setting in self.named:
            read_group(answers[setting], setting)
        answer = answers[key]
        if not answer.ok:
            raise fault(answer, *code_and_message(answer))
        held = answer.read(lambda fields: {each.lower() for each in listed(fields)})
        return replace(
            user,
            in_group=not self.sync or self.sync in held,
            is_excluded=bool(self.excluded) and self.excluded in held,
        )


def path(group: str) -> str:
    """The path of a group in Graph."""
    return f"/groups/{group}?$select=id,displayName,visibility"


def read_group(answer: Reply, setting: str) -> Group:
    """
    The group that *setting* names. Raises Refused if it does not exist or its members are hidden,
    AccessDenied, Throttled, ServiceDown.
    """
    code, message = code_and_message(answer)
    if answer.status == 404 and code:
        raise Refused(
            f"{setting} names a group that Microsoft Graph does not know: set it to the object id "
            "of an existing group, or leave it empty."
        )
    if answer.status in {401, 403}:
        raise AccessDenied(
            f"The group in {setting} cannot be read ({answer.status} {code}): grant the "
            "application role GroupMember.Read.All (manage.py grant --groups)."
        )
    if not answer.ok:
        raise fault(answer, code, message)
    group, visibility = answer.read(_read)
    if visibility.casefold() == _HIDDEN:
        raise Refused(
            f"The group in {setting} hides its members (HiddenMembership), so PhotoSync cannot "
            "read them: set another group."
        )
    return group


def listed(fields: Any) -> list[Any]:
    """The items of a list from Graph. Raises TypeError if it is not a list: it proves nothing."""
    items = fields["value"]
    if not isinstance(items, list):
        raise TypeError("value")
    return items


def _read(fields: Any) -> tuple[Group, str]:
    group = Group(fields["id"].lower(), str(fields.get("displayName") or ""))
    return group, str(fields.get("visibility") or "")
