"""Graph's users: list, read, change, delete, restore."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.graph import lists, managers, query
from local.m365.graph.user_queries import USERS
from local.m365.graph.wire import (
    ONE_USER,
    USER_READ,
    USER_WRITE,
    Refusal,
    bad_request,
    entity,
    json_object,
    named_user,
    not_found,
    route,
)
from local.m365.tenant.records import Profile, User
from local.m365.tenant.roster import family
from local.m365.tenant.tenant import Tenant

_FREE_TEXT = (
    "givenName",
    "jobTitle",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "department",
    "city",
    "country",
    "companyName",
)
_DELETED = "/directory/deletedItems/{user}"
# Documented (List users, Get user): the scopes to read others, at least names and addresses.
USER_SCOPES = ("User.ReadBasic.All", *USER_READ)
_UPN = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,48}")


def routes(tenant: Tenant) -> list[Route]:
    return [
        route(tenant, "GET", "/users", USER_READ, list_users, scopes=USER_SCOPES),
        route(tenant, "GET", "/users/$count", USER_READ, count_users, scopes=USER_SCOPES),
        route(tenant, "GET", ONE_USER, USER_READ, get_user, scopes=USER_SCOPES),
        route(tenant, "PATCH", ONE_USER, USER_WRITE, update_user),
        route(tenant, "DELETE", ONE_USER, USER_WRITE, delete_user),
        route(tenant, "DELETE", _DELETED, USER_WRITE, delete_user_permanently),
        route(tenant, "POST", f"{_DELETED}/restore", USER_WRITE, restore_user),
    ]


def people_page(
    tenant: Tenant, request: Request, people: Iterable[User], of: str = "users"
) -> Response:
    """One page of *people* by the request's options."""
    options = query.options(request.query_params, *lists.OPTIONS, "$expand")
    wanted = managers.expansion(options)
    managers.refuse_advanced(options, request.headers)
    body, chosen = lists.listed(tenant, request, USERS, people, of)
    names = query.selected(options.get("$select"), USERS)
    value = [
        {**lists.shown(USERS, user, names), **managers.expanded(tenant, user, wanted)}
        for user in chosen
    ]
    return JSONResponse({**body, "value": value})


async def list_users(tenant: Tenant, request: Request, client_id: str) -> Response:
    return people_page(tenant, request, tenant.users.values())


async def count_users(tenant: Tenant, request: Request, client_id: str) -> Response:
    return lists.count(request, USERS, tenant.users.values())


async def get_user(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Documented (List manager): `$count` is allowed with `$expand` here, and has no effect."""
    options = query.options(request.query_params, "$select", "$expand", "$count")
    names = query.selected(options.get("$select"), USERS, alone=True)
    wanted = managers.expansion(options)
    user = named_user(tenant, request)
    own = lists.shown(USERS, user, names)
    if "mySite" in own:
        own["mySite"] = _my_site(tenant, user)
    return entity(tenant, "users", {**own, **managers.expanded(tenant, user, wanted)})


def _my_site(tenant: Tenant, user: User) -> str:
    """Assumed: OneDrive's usual form of URL, whether or not the site exists."""
    host = (user.personal_host or tenant.urls.my).rstrip("/")
    return f"{host}/personal/{family(user.user_principal_name)}/"


async def update_user(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Any edit sends a notification, whatever it changed (I, facts/graph.md section 1)."""
    user = named_user(tenant, request)
    changes = await json_object(request)
    for name, value in changes.items():
        _refuse_value(tenant, user, name, value)
    for name, value in changes.items():
        _set(tenant, user, name, value)
    tenant.touch(user, "updated")
    return Response(status_code=204)


def _refuse_value(tenant: Tenant, user: User, name: str, value: object) -> None:
    if name == "accountEnabled":
        valid = isinstance(value, bool)
    elif name == "displayName":
        valid = isinstance(value, str) and 0 < len(value) <= 256
    elif name == "userPrincipalName":
        valid = isinstance(value, str) and _UPN.fullmatch(value) is not None
        holder = tenant.user(str(value))
        if holder is not None and holder is not user:
            message = (
                "Another object with the same value for property userPrincipalName already exists."
            )
            raise Refusal(400, "Request_BadRequest", message)
    elif name in _FREE_TEXT:
        valid = value is None or isinstance(value, str)
    else:
        raise bad_request(f"The property '{name}' cannot be updated.", "Request_BadRequest")
    if not valid:
        message = f"Invalid value specified for property '{name}' of resource 'User'."
        raise bad_request(message, "Request_BadRequest")


def _set(tenant: Tenant, user: User, name: str, value: Any) -> None:
    if name == "accountEnabled":
        user.account_enabled = value
    elif name == "displayName":
        user.display_name = value
    elif name == "userPrincipalName":
        tenant.roster.rename(user, value)
    else:
        user.attributes[name] = value


async def delete_user(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Soft-delete: subscribers get `updated` (D, facts/graph.md section 2).

    What happens to the profile is unknown (X, facts/sharepoint.md section 3): a switch chooses.
    """
    user = named_user(tenant, request)
    kept = tenant.switches.deleted_profile == "kept"
    if not kept and user.profile is not None:
        user.profile = Profile()
    tenant.roster.remove(user, profile_stays=kept)
    key = user.id.casefold()
    tenant.deleted_users[key] = user
    tenant.left_groups[key] = [name for name, each in tenant.groups.items() if key in each.members]
    for group in tenant.groups.values():
        group.members.discard(key)
    tenant.touch(user, "updated")
    return Response(status_code=204)


async def delete_user_permanently(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Only this sends `deleted` (D, facts/graph.md section 2)."""
    user = _deleted(tenant, request)
    tenant.roster.drop(user)
    tenant.touch(user, "deleted")
    return Response(status_code=204)


async def restore_user(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Documented: with the same object id, and in the same groups (facts/graph.md section 5). Assumed:
    subscribers get `updated`, and a UPN that another user now has is a 400.
    """
    user = _deleted(
        tenant, request, allowed=lambda user: tenant.user(user.user_principal_name) is None
    )
    tenant.add_user(user)
    for name in tenant.left_groups.pop(user.id.casefold(), []):
        tenant.groups[name].members.add(user.id.casefold())
    tenant.touch(user, "updated")
    return entity(tenant, "directoryObjects", lists.shown(USERS, user, USERS.default))


def _deleted(
    tenant: Tenant, request: Request, *, allowed: Callable[[User], bool] = lambda user: True
) -> User:
    """Remove the user in the path from the deleted users and return it, or refuse."""
    name = str(request.path_params["user"]).casefold()
    if name not in tenant.deleted_users:
        raise not_found(name)
    if not allowed(tenant.deleted_users[name]):
        raise bad_request("Another object has the same userPrincipalName.", "Request_BadRequest")
    return tenant.deleted_users.pop(name)
