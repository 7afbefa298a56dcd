"""Graph's groups, as far as some decide whose photo is synced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph import query
from local.m365.graph.admin import admin_route, only
from local.m365.graph.rights import Right
from local.m365.graph.users import named_user, users_page
from local.m365.graph.wire import ONE_USER, bad_request, context, json_object, not_found, route
from local.m365.tenant.records import Group
from local.m365.tenant.tenant import Tenant

MEMBER_READ = ("GroupMember.Read.All",)
# Documented (List groups, Get group): the least, and what the Azure CLI has.
FIND = Right(frozenset({"GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All"}))
_FILTER = re.compile(r"displayName eq '((?:[^']|'')*)'")
LARGEST_QUESTION = 20  # groups in one checkMemberGroups
KNOWN = ("id", "displayName", "visibility", "securityEnabled")
HIDDEN = "HiddenMembership"


def routes(tenant: Tenant) -> list[Route]:
    members = "/groups/{group}/transitiveMembers/microsoft.graph.user"
    return [
        admin_route(tenant, "GET", "/groups", FIND, find_groups),
        route(tenant, "GET", "/groups/{group}", MEMBER_READ, get_group, scopes=FIND.any_of),
        route(tenant, "POST", f"{ONE_USER}/checkMemberGroups", MEMBER_READ, check_member_groups),
        route(tenant, "GET", members, MEMBER_READ, list_members),
    ]


async def find_groups(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """By display name, which need not be unique. Documented: List groups, `$filter`."""
    options = only(request, ("$filter", "$select"))
    match = _FILTER.fullmatch(options.get("$filter", ""))
    if match is None:
        raise bad_request("Unsupported or invalid query filter clause.", "Request_UnsupportedQuery")
    wanted = match[1].replace("''", "'").casefold()
    names = query.selected(options.get("$select"), KNOWN, KNOWN)
    found = [
        _shown(name, group, names)
        for name, group in tenant.groups.items()
        if group.display_name.casefold() == wanted
    ]
    return JSONResponse({"@odata.context": context(tenant, "groups"), "value": found})


async def get_group(tenant: Tenant, request: Request, client_id: str) -> Response:
    """One group; what its members are is not told here, so a hidden one is shown too (D)."""
    options = dict(request.query_params)
    query.only(options, "$select")
    names = query.selected(options.get("$select"), KNOWN, KNOWN)
    body = {"@odata.context": context(tenant, "groups/$entity")}
    return JSONResponse(body | _shown(*_named(tenant, request), names))


def _shown(name: str, group: Group, names: Sequence[str]) -> dict[str, Any]:
    told = {
        "id": name,
        "displayName": group.display_name,
        "visibility": group.visibility,
        "securityEnabled": group.security_enabled,
    }
    return {each: told[each] for each in names}


async def check_member_groups(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Which of the groups asked for hold the user, nested groups too.

    Documented: of what the caller may not evaluate, such as hidden members, the answer may say
    nothing (facts/graph.md section 5). Assumed: neither does it of groups that do not exist, and
    more than 20 are refused.
    """
    user = named_user(tenant, request)
    wanted = (await json_object(request)).get("groupIds")
    if not isinstance(wanted, list) or not all(isinstance(group, str) for group in wanted):
        raise bad_request("groupIds must be a collection of strings.", "Request_BadRequest")
    if len(wanted) > LARGEST_QUESTION:
        raise bad_request("Too many groupIds.", "Directory_ResultSizeLimitExceeded")
    member = user.id.casefold()
    held = [group for group in wanted if member in _shown_members(tenant, group.casefold())]
    body = {"@odata.context": context(tenant, "Collection(Edm.String)"), "value": held}
    return JSONResponse(body)


async def list_members(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    All users of the group, nested ones too.

    Documented: a cast takes the header ConsistencyLevel and $count (facts/graph.md section 5).
    Reported in 2021 and 2022: this one works without (microsoft-graph-docs#11881, -contrib#1517),
    which is the other setting of the switch. Assumed: it is refused as a cast to groups was seen
    to be (-contrib#1517), and hidden members are left out, which is the worst for a client.
    """
    asked = query.is_advanced(request.headers) and request.query_params.get("$count") == "true"
    if tenant.switches.member_cast == "documented" and not asked:
        raise bad_request("Invalid search request.", "Request_UnsupportedQuery")
    name, _ = _named(tenant, request)
    members = _shown_members(tenant, name)
    people = [tenant.users[member] for member in members if member in tenant.users]
    return users_page(tenant, request, people)


def _named(tenant: Tenant, request: Request) -> tuple[str, Group]:
    name = str(request.path_params["group"])
    group = tenant.groups.get(name.casefold())
    if group is None:
        raise not_found(name)
    return name.casefold(), group


def _shown_members(tenant: Tenant, group: str) -> set[str]:
    """Users in *group* and in the groups in it; none of one that is hidden or not there."""
    found: set[str] = set()
    left = [group]
    while left:
        here = tenant.groups.get(left.pop())
        if here is None or here.visibility == HIDDEN:
            continue
        new = here.members - found
        found |= new
        left += new & tenant.groups.keys()
    return found - tenant.groups.keys()
