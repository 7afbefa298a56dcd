"""Graph's groups, as far as groups select whose photo is synced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph import lists, query
from local.m365.graph.admin import admin_route
from local.m365.graph.filters import Kind, Property, unsupported
from local.m365.graph.rights import Right
from local.m365.graph.users import people_page
from local.m365.graph.wire import (
    ONE_USER,
    bad_request,
    collection,
    entity,
    json_object,
    named_user,
    not_found,
    route,
)
from local.m365.tenant.records import Group
from local.m365.tenant.tenant import Tenant

MEMBER_READ = ("GroupMember.Read.All",)
# Documented (List groups, Get group).
FIND = Right(
    frozenset(
        {
            "GroupMember.Read.All",
            "Group.Read.All",
            "Group.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        }
    )
)
MAX_GROUP_IDS = 20  # groups in one checkMemberGroups request
_KNOWN = ("id", "displayName", "description", "mail", "visibility", "securityEnabled")
HIDDEN = "HiddenMembership"


class Listed(NamedTuple):
    """A group and its object id."""

    id: str
    group: Group


def _value(one: Listed, name: str) -> Any:
    """Assumed: security groups, so they have neither mail nor a description."""
    shown = {
        "id": one.id,
        "displayName": one.group.display_name,
        "visibility": one.group.visibility,
        "securityEnabled": one.group.security_enabled,
    }
    return shown.get(name)


# Documented (group resource; facts/graph.md section 10).
GROUPS = Kind(
    "Group",
    _KNOWN,
    _KNOWN,
    _value,
    {
        "id": Property("eq"),
        "displayName": Property("eq ge le startsWith", "null"),
        "description": Property("eq ge le startsWith"),
        "mail": Property("eq ge le startsWith", "null"),
        "securityEnabled": Property("eq", kind=bool),
    },
    sorts=("displayName",),
    sorts_advanced=("deletedDateTime",),
)


def routes(tenant: Tenant) -> list[Route]:
    members = "/groups/{group}/transitiveMembers/microsoft.graph.user"
    return [
        admin_route(tenant, "GET", "/groups", FIND, list_groups),
        admin_route(tenant, "GET", "/groups/$count", FIND, count_groups),
        route(tenant, "GET", "/groups/{group}", MEMBER_READ, get_group, scopes=FIND.any_of),
        route(tenant, "POST", f"{ONE_USER}/checkMemberGroups", MEMBER_READ, check_member_groups),
        route(tenant, "GET", members, MEMBER_READ, list_members),
    ]


def _everything(tenant: Tenant) -> Iterator[Listed]:
    return (Listed(name, group) for name, group in tenant.groups.items())


async def list_groups(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return lists.answered(tenant, request, GROUPS, _everything(tenant), "groups")


async def count_groups(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return lists.count(request, GROUPS, _everything(tenant))


async def get_group(tenant: Tenant, request: Request, client_id: str) -> Response:
    """One group; its members are not shown here, so a hidden group is shown too (D)."""
    options = query.options(request.query_params, "$select")
    names = query.selected(options.get("$select"), GROUPS)
    return entity(tenant, "groups", lists.shown(GROUPS, _named(tenant, request), names))


async def check_member_groups(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Which of the requested groups contain the user, directly or nested.

    Documented: groups that the caller may not evaluate, such as those with hidden members, may be
    missing from the answer (facts/graph.md section 5). Assumed: groups that do not exist are
    missing too, and more than 20 are refused.
    """
    user = named_user(tenant, request)
    wanted = (await json_object(request)).get("groupIds")
    if not isinstance(wanted, list) or not all(isinstance(group, str) for group in wanted):
        raise bad_request("groupIds must be a collection of strings.", "Request_BadRequest")
    if len(wanted) > MAX_GROUP_IDS:
        raise bad_request("Too many groupIds.", "Directory_ResultSizeLimitExceeded")
    member = user.id.casefold()
    held = [group for group in wanted if member in _shown_members(tenant, group.casefold())]
    return collection(tenant, "Collection(Edm.String)", held)


async def list_members(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    All users of the group, including nested ones.

    Documented: a cast needs the header ConsistencyLevel and $count (facts/graph.md section 5).
    Reported in 2021 and 2022: this cast works without (microsoft-graph-docs#11881, -contrib#1517),
    which is the other setting of the switch. Assumed: it is refused like a cast to groups
    (-contrib#1517), and hidden members are omitted, the worst case for a client.
    """
    options = query.options(request.query_params, *lists.OPTIONS)
    advanced = query.is_advanced(options, request.headers)
    if tenant.switches.member_cast == "documented" and not advanced:
        raise unsupported("Invalid search request.")
    if "$count" in options and not query.reads_index(request.headers):
        # Reported (microsoft-graph-docs#11882) for members, unlike for users.
        raise bad_request("$count is not currently supported.", "Request_BadRequest")
    members = _shown_members(tenant, _named(tenant, request).id)
    people = [tenant.users[member] for member in members if member in tenant.users]
    return people_page(tenant, request, people)


def _named(tenant: Tenant, request: Request) -> Listed:
    name = str(request.path_params["group"])
    group = tenant.groups.get(name.casefold())
    if group is None:
        raise not_found(name)
    return Listed(name.casefold(), group)


def _shown_members(tenant: Tenant, group: str) -> set[str]:
    """Users in *group* and its nested groups; none if it is hidden or missing."""
    found: set[str] = set()
    to_visit = [group]
    while to_visit:
        nested = tenant.groups.get(to_visit.pop())
        if nested is None or nested.visibility == HIDDEN:
            continue
        new = nested.members - found
        found |= new
        to_visit += new & tenant.groups.keys()
    return found - tenant.groups.keys()
