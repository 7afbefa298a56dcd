"""Graph's admin operations on the directory and on sites: rights, keys in paths, options."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra import access
from local.m365.entra.tokens import Claims
from local.m365.graph.rights import Right
from local.m365.graph.wire import Refusal, bad_request, route
from local.m365.tenant.tenant import Tenant

Handler = Callable[[Tenant, Request, Claims], Awaitable[Response]]
_DEFAULT_OPTIONS = ("$select",)


class _ObjectKey(Convertor[str]):
    """
    The key of one object in a path: `/{object id}` or `(appId='{application id}')`.

    Documented (servicePrincipal, application): both forms.
    """

    regex = r"/[^/(]+|\(appId='[^']+'\)"

    def convert(self, value: str) -> str:
        return value


register_url_convertor("object_key", _ObjectKey())


def named(key: str, *, object_id: str, app_id: str) -> bool:
    """Whether *key* from the path identifies the object with these two ids."""
    by_app = re.fullmatch(r"\(appId='(.+)'\)", key)
    wanted, own = (by_app[1], app_id) if by_app else (key[1:], object_id)
    return wanted.casefold() == own.casefold()


def denied() -> Refusal:
    """
    The directory's answer to a caller without the right.

    Reported (facts/graph.md section 8): code and sentence, the same for a missing scope and a
    missing directory role.
    """
    text = "Insufficient privileges to complete the operation."
    return Refusal(403, "Authorization_RequestDenied", text)


def admin_route(
    tenant: Tenant,
    method: str,
    path: str,
    right: Right,
    handler: Handler,
    refusal: Callable[[], Refusal] = denied,
) -> Route:
    """One operation of Graph that needs a *right*."""

    async def checked(tenant: Tenant, request: Request, client_id: str) -> Response:
        bearer = request.headers.get("authorization")
        claims = access.check(tenant, bearer, audience=tenant.urls.graph)
        if not right.allows(claims):
            raise refusal()
        return await handler(tenant, request, claims)

    return route(tenant, method, path, (), checked)


def only(request: Request, known: Collection[str] = _DEFAULT_OPTIONS) -> Mapping[str, str]:
    """The query's options; unsupported ones are refused."""
    for name in request.query_params:
        if name not in known:
            raise bad_request(f"The query option '{name}' is not supported here.")
    return request.query_params


def selected(request: Request, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Those of *fields* that `$select` names; all without `$select`."""
    wanted = only(request).get("$select")
    if not wanted:
        return dict(fields)
    for name in wanted.split(","):
        if name not in fields:
            message = f"Could not find a property named '{name}'."
            raise bad_request(f"Parsing OData Select and Expand failed: {message}")
    return {name: fields[name] for name in wanted.split(",")}
