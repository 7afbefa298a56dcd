"""Graph's sites, limited to an app's permission on the root of a My Site host."""

from __future__ import annotations

import base64
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph.admin import admin_route, only, selected
from local.m365.graph.rights import MANAGE_SITES, READ_SITES
from local.m365.graph.wire import Refusal, collection, entity, json_object
from local.m365.tenant.geo import Geo
from local.m365.tenant.roles import SITE_ROLES
from local.m365.tenant.tenant import Tenant

_PERMISSIONS = "/sites/{site}/permissions"


def routes(tenant: Tenant) -> list[Route]:
    """Documented (site: get; permission: list, get, create, update, delete)."""
    table = [
        ("GET", "/sites/{site}", READ_SITES, get_site),
        ("GET", _PERMISSIONS, MANAGE_SITES, list_permissions),
        ("POST", _PERMISSIONS, MANAGE_SITES, create),
        ("GET", f"{_PERMISSIONS}/{{permission}}", MANAGE_SITES, get),
        ("PATCH", f"{_PERMISSIONS}/{{permission}}", MANAGE_SITES, update),
        ("DELETE", f"{_PERMISSIONS}/{{permission}}", MANAGE_SITES, delete),
    ]
    return [admin_route(tenant, *entry, _denied) for entry in table]


def _denied() -> Refusal:
    """
    Reported (facts/sharepoint.md section 9): also for a Global Administrator without the scope.
    """
    return Refusal(403, "accessDenied", "Access denied")


def _gone() -> Refusal:
    """Assumed: Graph's usual answer for a missing item."""
    return Refusal(404, "itemNotFound", "The resource could not be found.")


def my_site(tenant: Tenant, geo: Geo) -> tuple[str, str]:
    """Host name and id of the root of a My Site host. Documented: host, site and web id."""
    return _site(tenant, f"{geo.name or tenant.sharepoint_name}-my.{tenant.cloud.sharepoint}")


def root_site(tenant: Tenant) -> tuple[str, str]:
    """Host name and id of the tenant's root site, which has no permissions here."""
    return _site(tenant, f"{tenant.sharepoint_name}.{tenant.cloud.sharepoint}")


def _site(tenant: Tenant, host: str) -> tuple[str, str]:
    ids = (uuid.uuid5(uuid.UUID(tenant.tenant_id), f"{host} {part}") for part in ("site", "web"))
    return host, ",".join([host, *map(str, ids)])


def _geo(tenant: Tenant, request: Request) -> Geo:
    """
    The geography whose My Site root the path names, by host or id; Graph serves all geographies.
    """
    site = str(request.path_params["site"]).casefold()
    for geo in tenant.geos:
        if site in map(str.casefold, my_site(tenant, geo)):
            return geo
    raise _gone()


async def get_site(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Documented: by host, by id, and `root` for the tenant's own (facts/graph.md section 8)."""
    wanted = str(request.path_params["site"]).casefold()
    root = root_site(tenant)
    if wanted in ("root", *map(str.casefold, root)):
        host, site_id = root
    else:
        host, site_id = my_site(tenant, _geo(tenant, request))
    site = {
        "id": site_id,
        "name": "",
        "webUrl": f"https://{host}",
        "root": {},
        "siteCollection": {"hostname": host},
    }
    return entity(tenant, "sites", selected(request, site))


async def list_permissions(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    Documented: with the roles of each. Reported (facts/sharepoint.md section 9): without them, so
    that each must be read by its id; a switch chooses.
    """
    only(request)
    geo = _geo(tenant, request)
    shown = [_shown(tenant, geo, client_id) for client_id in geo.site_grants]
    if not tenant.switches.site_lists_show_roles:
        for one in shown:
            del one["roles"]
    return collection(tenant, "permissions", shown)


async def create(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    Documented: the body, with one application and one role. Assumed: an application has one
    permission on a site, and a second POST changes it.
    """
    geo = _geo(tenant, request)
    body = await json_object(request)
    identities: Any = body.get("grantedToIdentities")
    try:
        client_id = str(identities[0]["application"]["id"]).lower()
    except (TypeError, KeyError, IndexError) as error:
        raise _bad("grantedToIdentities names an application.") from error
    if client_id not in tenant.apps:
        raise _bad("The application is not known.")
    geo.site_grants[client_id] = _role(body)
    return JSONResponse(_shown(tenant, geo, client_id), 201)


async def get(tenant: Tenant, request: Request, claims: Claims) -> Response:
    return JSONResponse(_shown(tenant, *_granted(tenant, request)))


async def update(tenant: Tenant, request: Request, claims: Claims) -> Response:
    geo, client_id = _granted(tenant, request)
    geo.site_grants[client_id] = _role(await json_object(request))
    return JSONResponse(_shown(tenant, geo, client_id))


async def delete(tenant: Tenant, request: Request, claims: Claims) -> Response:
    geo, client_id = _granted(tenant, request)
    del geo.site_grants[client_id]
    return Response(status_code=204)


def _granted(tenant: Tenant, request: Request) -> tuple[Geo, str]:
    """The geography and the client id of the permission in the path."""
    geo = _geo(tenant, request)
    wanted = request.path_params["permission"]
    for client_id in geo.site_grants:
        if permission_id(tenant, client_id) == wanted:
            return geo, client_id
    raise _gone()


def _role(body: dict[str, Any]) -> str:
    roles = body.get("roles")
    if not isinstance(roles, list) or len(roles) != 1 or roles[0] not in SITE_ROLES:
        raise _bad(f"roles is one of {', '.join(SITE_ROLES)}.")
    return str(roles[0])


def _bad(message: str) -> Refusal:
    """Assumed: code and sentence."""
    return Refusal(400, "invalidRequest", message)


def permission_id(tenant: Tenant, client_id: str) -> str:
    """Reported: the base64 of the app's name in SharePoint."""
    name = f"i:0i.t|ms.sp.ext|{client_id}@{tenant.tenant_id}"
    return base64.b64encode(name.encode()).decode().rstrip("=")


def _shown(tenant: Tenant, geo: Geo, client_id: str) -> dict[str, Any]:
    app = tenant.apps.get(client_id)
    identity = {"id": client_id, "displayName": app.name if app else ""}
    return {
        "id": permission_id(tenant, client_id),
        "@deprecated.GrantedToIdentities": "GrantedToIdentities has been deprecated. Refer to "
        "GrantedToIdentitiesV2",
        "roles": [geo.site_grants[client_id]],
        "grantedToIdentities": [{"application": identity}],
        "grantedToIdentitiesV2": [{"application": identity}],
    }
