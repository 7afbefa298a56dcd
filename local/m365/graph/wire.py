"""Graph's wire format: routes with their roles, error bodies, request ids."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.entra import access
from local.m365.entra.tokens import Claims
from local.m365.tenant.records import User
from local.m365.tenant.tenant import Tenant

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
USER_READ = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All")
USER_WRITE = ("User.ReadWrite.All",)


class _UserKey(Convertor[str]):
    """
    What follows `/users` and identifies a user: `/anne@contoso.com` or `('anne@contoso.com')`.

    Documented (Get user): a UPN that starts with `$` is refused with 400 in the first form, and
    found in the second. That all others are found in both, with quotes doubled, is OData's rule.
    """

    regex = r"/[^/$(][^/]*|\('(?:[^/']|'')+'\)"

    def convert(self, value: str) -> str:
        return value[1:] if value.startswith("/") else value[2:-2].replace("''", "'")


register_url_convertor("user_key", _UserKey())
ONE_USER = "/users{user:user_key}"

# A handler gets the tenant, the request, and the client id of the caller.
Handler = Callable[[Tenant, Request, str], Awaitable[Response]]


class Refusal(Exception):
    """A refusal; becomes Graph's error body."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})


def bad_request(message: str, code: str = "BadRequest") -> Refusal:
    return Refusal(400, code, message)


def not_found(name: str) -> Refusal:
    """
    The answer for an object that is not in the directory.

    Documented: 404 `Request_ResourceNotFound` (facts/graph.md section 4); the sentence is assumed.
    """
    message = (
        f"Resource '{name}' does not exist or one of its queried reference-property objects "
        "are not present."
    )
    return Refusal(404, "Request_ResourceNotFound", message)


def named_user(tenant: Tenant, request: Request) -> User:
    """The user that the path names by object id or UPN, or a 404."""
    name = str(request.path_params["user"])
    user = tenant.user(name)
    if user is None:
        raise not_found(name)
    return user


def route(
    tenant: Tenant,
    method: str,
    path: str,
    roles: Collection[str],
    handler: Handler,
    *,
    scopes: Collection[str] = (),
) -> Route:
    """One operation of Graph: an app needs one of *roles*, a person one of *scopes*."""

    async def endpoint(request: Request) -> Response:
        ids = request_ids(request.headers)
        try:
            claims = access.check(
                tenant,
                request.headers.get("authorization"),
                audience=tenant.urls.graph,
            )
            _check_right(claims, roles, scopes)
            response = await handler(tenant, request, claims.client_id)
        except access.Refused as refused:
            response = _unauthorized(tenant, refused, ids)
        except Refusal as refusal:
            body = error_body(refusal.code, refusal.message, tenant.now(), ids)
            response = JSONResponse(body, refusal.status, refusal.headers)
        if "odata.metadata=none" in request.headers.get("accept", "").lower().replace(" ", ""):
            response = _bare(response)
        response.headers.update(ids)
        return response

    return Route(f"/v1.0{path}", endpoint, methods=[method])


def _check_right(claims: Claims, roles: Collection[str], scopes: Collection[str]) -> None:
    """With empty *roles*, the handler checks the rights."""
    held, wanted = (claims.scopes, scopes) if claims.is_person else (claims.roles, roles)
    if roles and not held.intersection(wanted):
        raise access.Refused("roles", 403, f"Needs one of: {', '.join(sorted(wanted))}.")


def _bare(response: Response) -> Response:
    """Documented (OData): no annotations except the next link and the count."""
    if not isinstance(response, JSONResponse):
        return response

    def bare(value: Any) -> Any:
        if isinstance(value, list):
            return [bare(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: bare(inside)
            for name, inside in value.items()
            if not name.startswith("@odata.") or name in ("@odata.nextLink", "@odata.count")
        }

    return JSONResponse(bare(json.loads(bytes(response.body))), response.status_code)


def _unauthorized(tenant: Tenant, refused: access.Refused, ids: Mapping[str, str]) -> Response:
    # Assumed: Graph's codes for the two statuses; clients should decide by the status.
    denied = refused.status == 403
    code = "Authorization_RequestDenied" if denied else "InvalidAuthenticationToken"
    message = "Insufficient privileges to complete the operation." if denied else refused.detail
    headers = {} if denied else {"WWW-Authenticate": 'Bearer realm=""'}
    body = error_body(code, message, tenant.now(), ids)
    return JSONResponse(body, refused.status, headers)


def request_ids(headers: Mapping[str, str]) -> dict[str, str]:
    """The two ids of every answer; the client's own id is returned unchanged."""
    ours = str(uuid.uuid4())
    return {"request-id": ours, "client-request-id": headers.get("client-request-id", ours)}


def error_body(code: str, message: str, now: datetime, ids: Mapping[str, str]) -> dict[str, Any]:
    inner = {"date": now.strftime("%Y-%m-%dT%H:%M:%S"), **ids}
    return {"error": {"code": code, "message": message, "innerError": inner}}


async def json_object(request: Request) -> dict[str, Any]:
    """
    The body as a JSON object. Raises Refusal.

    Documented (OData): `@odata.type` is allowed (facts/graph.md section 8).
    """
    if "json" not in request.headers.get("content-type", ""):
        raise bad_request("Write requests must carry the header Content-Type: application/json.")
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload.") from error
    if not isinstance(body, dict):
        raise bad_request("Unable to read JSON request payload.")
    body.pop("@odata.type", None)
    return body


def context(tenant: Tenant, of: str) -> str:
    return f"{tenant.urls.graph}/v1.0/$metadata#{of}"


def entity(tenant: Tenant, of: str, fields: Mapping[str, Any], status: int = 200) -> Response:
    """One object of the collection *of*."""
    return JSONResponse({"@odata.context": context(tenant, f"{of}/$entity"), **fields}, status)


def collection(tenant: Tenant, of: str, value: Sequence[Any], **links: str) -> Response:
    return JSONResponse({"@odata.context": context(tenant, of), **links, "value": value})


def routes(tenant: Tenant) -> list[Route]:
    """Answers every unmatched path; mount it last. Assumed: the sentence, and 400 for it."""

    async def unknown(tenant: Tenant, request: Request, client_id: str) -> Response:
        segment = request.url.path.rstrip("/").rsplit("/", 1)[-1]
        raise bad_request(f"Resource not found for the segment '{segment}'.")

    return [route(tenant, method, "/{rest:path}", (), unknown) for method in METHODS]
