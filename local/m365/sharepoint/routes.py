"""A SharePoint host over HTTP: caller, method and format."""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.m365.entra import access, tokens
from local.m365.sharepoint import batch, csom, paths, photo, query, wire
from local.m365.sharepoint import operations as sharepoint_operations
from local.m365.sharepoint.errors import (
    SharePointError,
    access_denied,
    in_language,
    unknown_resource,
    wrong_method,
)
from local.m365.tenant.geo import Geo
from local.m365.tenant.roles import SHAREPOINT, SITE_WRITERS
from local.m365.tenant.tenant import Tenant

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_API = "/_api/"


def routes(tenant: Tenant, host: str) -> list[Route]:
    """
    All routes of one host, with case-insensitive paths.

    *host* is `my`, `admin` or `root`, or a satellite's such as `contosoeur-my`.
    """

    async def endpoint(request: Request) -> Response:
        response = await answer(request)
        response.headers.update(_ids())
        return response

    async def answer(request: Request) -> Response:
        path = request.url.path
        redirect = _redirect(tenant, host, request)
        if redirect is not None:
            return redirect
        claims = _claims(tenant, host, request)
        if isinstance(claims, Response):
            return claims
        other = await _outside_rest(tenant, host, request, claims)
        if other is not None:
            return other
        accept = request.headers.get("accept", "")
        try:
            if path.lower() == batch.PATH and request.method == "POST":
                return await batch.response(request, base_url(tenant, host))
            found = await _api(tenant, host, request, claims)
        except SharePointError as error:
            translated = in_language(error, tenant.switches.language)
            return wire.error_response(translated, accept, tenant.switches.sharepoint_errors)
        return wire.response(found, accept, base_url(tenant, host))

    return [Route("/{path:path}", endpoint, methods=_METHODS)]


async def _outside_rest(
    tenant: Tenant, host: str, request: Request, claims: tokens.Claims
) -> Response | None:
    """The answer outside the REST interface; None if the request is for REST."""
    path = request.url.path.lower()
    if path == photo.PATH:
        return photo.response(tenant, request.query_params)
    if path == csom.PATH:
        allowed = _allows(tenant, host, claims, sharepoint_operations.PROFILE_WRITE)
        geo, _ = _geo_and_kind(tenant, host)
        return await csom.response(tenant, geo, host, request, may_write=allowed)
    return None


def _ids() -> dict[str, str]:
    """Reported (facts/sharepoint.md section 3): every answer has its request's id, twice."""
    ours = str(uuid.uuid4())
    return {"SPRequestGuid": ours, "request-id": ours}


def base_url(tenant: Tenant, host: str) -> str:
    return tenant.host_url(*_geo_and_kind(tenant, host))


def _geo_and_kind(tenant: Tenant, host: str) -> tuple[Geo, str]:
    """The geography of *host*, and its kind of host there."""
    name, _, kind = host.rpartition("-")
    return (tenant.satellites[name] if name else tenant.home), kind


def _redirect(tenant: Tenant, host: str, request: Request) -> Response | None:
    """
    The answer under a former name of the tenant; None under its current name.

    Documented: the old address redirects for a year (facts/sharepoint.md section 10). Assumed: by
    308, for every caller, including REST; later requests find nothing.
    """
    label = request.headers.get("host", "").partition(".")[0].lower()
    if label.removesuffix("-my").removesuffix("-admin") not in tenant.former_names:
        return None
    if tenant.switches.former_hosts == "gone":
        return Response(status_code=404)
    url = request.url
    query = f"?{url.query}" if url.query else ""
    return RedirectResponse(f"{base_url(tenant, host)}{url.path}{query}", 308)


async def _api(tenant: Tenant, host: str, request: Request, claims: tokens.Claims) -> wire.Answer:
    path: str = request.scope["path"]
    if not path.lower().startswith(_API):
        raise unknown_resource()
    options = {key.lower(): value for key, value in request.query_params.items()}
    wanted = query.parse(options)
    calls = paths.parse(path[len(_API) :], options)
    method = _method(request)
    operations = sharepoint_operations.find(calls, method)
    if not operations:
        raise wrong_method(method)
    operation = operations[0]
    if not _allows(tenant, host, claims, operation.needs):
        raise access_denied()
    geo, kind = _geo_and_kind(tenant, host)
    call = sharepoint_operations.ApiRequest(
        tenant=tenant,
        geo=geo,
        kind=kind,
        base=base_url(tenant, host),
        calls=calls,
        body=await request.body(),
        if_match=request.headers.get("if-match"),
        content_type=request.headers.get("content-type", ""),
    )
    return query.answered(operation.answer(call), wanted)


def _method(request: Request) -> str:
    """Documented: X-HTTP-Method replaces the method of a POST."""
    if request.method == "POST":
        return request.headers.get("x-http-method", "POST").upper()
    return request.method


def _allows(tenant: Tenant, host: str, claims: tokens.Claims, needs: str) -> bool:
    """
    Whether the roles in the token, and for Sites.Selected the site's grants, allow *needs*.

    Documented: facts/sharepoint.md section 4. Assumed: a grant on the -my root site works as on any
        other site, only in its geography; `write` includes reading; other hosts have no grants.
    """
    roles = claims.roles
    if needs == sharepoint_operations.ANY_TOKEN:
        return True
    if needs == sharepoint_operations.PROFILE_WRITE:
        return "User.ReadWrite.All" in roles
    if needs == sharepoint_operations.PROFILE_READ:
        return not roles.isdisjoint({"User.Read.All", "User.ReadWrite.All"})
    if "Sites.FullControl.All" in roles:
        return True
    geo, kind = _geo_and_kind(tenant, host)
    if kind != "my" or "Sites.Selected" not in roles:
        return False
    grant = geo.site_grants.get(claims.client_id.lower())
    reads = needs == sharepoint_operations.FILE_READ
    return grant in SITE_WRITERS or (grant == "read" and reads)


def _claims(tenant: Tenant, host: str, request: Request) -> tokens.Claims | Response:
    """
    The bearer's claims, or the 401 to answer.

    From issues: "Unsupported app only token." if the token was obtained with a secret
        (facts/sharepoint.md section 3); for another host's token, an `error_description` with
        AudienceUriValidationFailedException and the header x-ms-diagnostics.
    Assumed: the other texts.
    """
    try:
        claims = access.check(
            tenant, request.headers.get("authorization"), audience=base_url(tenant, host)
        )
    except access.Refused as refused:
        text, reason = refused.detail, refused.detail
        if refused.kind == "audience":
            text = (
                "Exception of type 'Microsoft.IdentityModel.Tokens."
                "AudienceUriValidationFailedException' was thrown."
            )
        return _unauthorized(tenant, text, f'3000003;reason="{reason}";category="invalid_client"')
    if claims.authenticated_by != tokens.BY_CERTIFICATE:
        return _unauthorized(tenant, "Unsupported app only token.")
    return claims


def _unauthorized(tenant: Tenant, text: str, diagnostics: str | None = None) -> Response:
    challenge = f'Bearer realm="{tenant.tenant_id}",client_id="{SHAREPOINT.app_id}"'
    headers = {"WWW-Authenticate": challenge}
    if diagnostics:
        headers["x-ms-diagnostics"] = diagnostics
    return JSONResponse({"error_description": text}, 401, headers=headers)
