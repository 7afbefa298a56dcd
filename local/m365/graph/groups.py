"""Graph's groups, as far as one decides whose photo is synced."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.graph.query import is_advanced
from local.m365.graph.users import named_user, users_page
from local.m365.graph.wire import ONE_USER, bad_request, context, json_object, not_found, route
from local.m365.tenant.tenant import Tenant

MEMBER_READ = ("GroupMember.Read.All",)
LARGEST_QUESTION = 20  # groups in one checkMemberGroups


def routes(tenant: Tenant) -> list[Route]:
    members = "/groups/{group}/transitiveMembers/microsoft.graph.user"
    return [
        route(tenant, "POST", f"{ONE_USER}/checkMemberGroups", MEMBER_READ, check_member_groups),
        route(tenant, "GET", members, MEMBER_READ, list_members),
    ]


async def check_member_groups(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Which of the groups asked for hold the user.

    Assumed: groups that do not exist are left out of the answer, and more than 20 are refused.
    """
    user = named_user(tenant, request)
    wanted = (await json_object(request)).get("groupIds")
    if not isinstance(wanted, list) or not all(isinstance(group, str) for group in wanted):
        raise bad_request("groupIds must be a collection of strings.", "Request_BadRequest")
    if len(wanted) > LARGEST_QUESTION:
        raise bad_request("Too many groupIds.", "Directory_ResultSizeLimitExceeded")
    member = user.id.casefold()
    held = [group for group in wanted if member in tenant.groups.get(group.casefold(), ())]
    body = {"@odata.context": context(tenant, "Collection(Edm.String)"), "value": held}
    return JSONResponse(body)


async def list_members(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    All users of the group, nested ones too.

    Documented: a cast takes the header ConsistencyLevel and $count (facts/graph.md section 5).
    Reported in 2021 and 2022: this one works without (microsoft-graph-docs#11881, -contrib#1517),
    which is the other setting of the switch. Assumed: it is refused as a cast to groups was seen
    to be (-contrib#1517).
    """
    asked = is_advanced(request.headers) and request.query_params.get("$count") == "true"
    if tenant.switches.member_cast == "documented" and not asked:
        raise bad_request("Invalid search request.", "Request_UnsupportedQuery")
    name = str(request.path_params["group"])
    members = tenant.groups.get(name.casefold())
    if members is None:
        raise not_found(name)
    people = [tenant.users[member] for member in members if member in tenant.users]
    return users_page(tenant, request, people)
