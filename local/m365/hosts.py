"""The application behind each host: the routes of its service, behind that service's entrance."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from local.m365.control import control
from local.m365.entra import routes as entra
from local.m365.faults import FaultMiddleware
from local.m365.graph import (
    admissions,
    applications,
    batch,
    delta,
    groups,
    managers,
    organization,
    photos,
    principals,
    sites,
    users,
    wire,
)
from local.m365.graph.spelling import Spelling
from local.m365.notifications import subscriptions
from local.m365.sharepoint import routes as sharepoint_routes
from local.m365.tenant.tenant import Tenant
from local.m365.wire_forms import WireForms


def app(tenant: Tenant, host: str) -> ASGIApp:
    """The routes of *host*, behind the entrance of its service."""
    if host == "control":
        # Not a Microsoft service: never slow, never failing, not in the journal.
        return Starlette(routes=[*control.routes(tenant), *entra.identity_routes(tenant)])
    if host == "login":
        return _entrance(tenant, Starlette(routes=entra.routes(tenant)), "login")
    if host == "graph":
        return _entrance(tenant, Spelling(Starlette(routes=_graph(tenant))), "graph")
    routes = sharepoint_routes.routes(tenant, host)
    return _entrance(tenant, Starlette(routes=routes), "sharepoint", role=host)


def _entrance(tenant: Tenant, app: ASGIApp, service: str, role: str = "") -> ASGIApp:
    return WireForms(FaultMiddleware(app, tenant, service=service, role=role), tenant)


def _graph(tenant: Tenant) -> list[Route]:
    return [
        *batch.routes(tenant),
        *photos.routes(tenant),
        # Before the users, or `delta` would be read as a user's key.
        *delta.routes(tenant),
        *users.routes(tenant),
        *managers.routes(tenant),
        *groups.routes(tenant),
        *organization.routes(tenant),
        *subscriptions.routes(tenant),
        *admissions.routes(tenant),
        *principals.routes(tenant),
        *applications.routes(tenant),
        *sites.routes(tenant),
        # Last, since it answers every path that no other route matched.
        *wire.routes(tenant),
    ]
