"""Managers of users: the relation itself, and `$expand=manager`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.graph import query
from local.m365.graph.filters import unsupported
from local.m365.graph.lists import shown
from local.m365.graph.user_queries import USERS
from local.m365.graph.wire import (
    ONE_USER,
    USER_READ,
    bad_request,
    entity,
    named_user,
    not_found,
    route,
)
from local.m365.tenant.records import User
from local.m365.tenant.tenant import Tenant

_EXPAND = re.compile(r"manager(?:\((?P<options>[^()]*)\))?", re.IGNORECASE)
_MOST_LEVELS = 1000
_TYPE = {"@odata.type": "#microsoft.graph.user"}


class Expansion(NamedTuple):
    """What `$expand` requests: the number of levels of managers, and the properties of each."""

    levels: int
    names: Sequence[str]


def routes(tenant: Tenant) -> list[Route]:
    # Documented (List manager): who may read it; unlike a user, not with User.ReadBasic.All.
    path = f"{ONE_USER}/manager"
    return [route(tenant, "GET", path, USER_READ, get_manager, scopes=USER_READ)]


async def get_manager(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Documented: List manager. Reported: the answer for a user without a manager."""
    options = query.options(request.query_params, "$select")
    names = query.selected(options.get("$select"), USERS)
    manager = _manager(tenant, named_user(tenant, request))
    if manager is None:
        raise not_found("manager")
    return entity(tenant, "directoryObjects", {**_TYPE, **shown(USERS, manager, names)})


def expansion(options: Mapping[str, str]) -> Expansion | None:
    """
    What `$expand` requests. Raises Refusal.

    Documented (List manager; facts/graph.md section 10): `$levels` from 1 to 1000 or `max`, with
        `$select`. From another project's tool: `$select` alone. Assumed: 400 for anything else.
    """
    raw = options.get("$expand")
    if raw is None:
        return None
    match = _EXPAND.fullmatch(raw)
    if match is None:
        raise bad_request(f"Parsing OData Select and Expand failed: '{raw}' cannot be expanded.")
    found = {"$levels": "1", "$select": ""}
    for each in (match["options"] or "").split(";"):
        name, _, value = each.partition("=")
        if each and name.strip() not in found:
            raise bad_request(f"Parsing OData Select and Expand failed: '{name}' is unknown here.")
        found[name.strip()] = value.strip()
    levels = str(_MOST_LEVELS) if found["$levels"] == "max" else found["$levels"]
    if not re.fullmatch(r"\d{1,4}", levels) or not 1 <= int(levels) <= _MOST_LEVELS:
        raise bad_request("Parsing OData Select and Expand failed: $levels is 1 to 1000, or max.")
    return Expansion(int(levels), query.selected(found["$select"], USERS))


def refuse_advanced(options: Mapping[str, str], headers: Mapping[str, str]) -> None:
    """Documented: no `$expand` in an advanced query. Assumed: the refusal and its form."""
    if "$expand" in options and query.reads_index(headers) and {"$count", "$search"} & {*options}:
        raise unsupported("The $expand query option is not supported with advanced queries.")


def expanded(tenant: Tenant, user: User, wanted: Expansion | None) -> dict[str, Any]:
    """*user*'s manager, as a member of what is shown of *user*; empty without a manager."""
    manager = _manager(tenant, user)
    if wanted is None or wanted.levels == 0 or manager is None:
        return {}
    above = expanded(tenant, manager, wanted._replace(levels=wanted.levels - 1))
    return {"manager": {**_TYPE, **shown(USERS, manager, wanted.names), **above}}


def _manager(tenant: Tenant, user: User) -> User | None:
    return tenant.users.get(user.manager.casefold())
