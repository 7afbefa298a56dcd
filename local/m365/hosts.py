"""What answers on each host: the routes of its service, behind that service's entrance."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from local.m365 import (
    control,
    entra,
    graph_applications,
    graph_batch,
    graph_groups,
    graph_photos,
    graph_principals,
    graph_sites,
    graph_subscriptions,
    graph_users,
    graph_wire,
    sharepoint_routes,
)
from local.m365.faults import FaultMiddleware
from local.m365.tenant import Tenant


def app(tenant: Tenant, host: str) -> ASGIApp:
    """What answers on *host*: its routes, behind the entrance of its service."""
    if host == "control":
        # No service of Microsoft's: never slow, never broken, not in the journal.
        return Starlette(routes=[*control.routes(tenant), *entra.identity_routes(tenant)])
    if host == "login":
        return FaultMiddleware(Starlette(routes=entra.routes(tenant)), tenant, service="login")
    if host == "graph":
        return FaultMiddleware(Starlette(routes=_graph(tenant)), tenant, service="graph")
    routes = sharepoint_routes.routes(tenant, host)
    return FaultMiddleware(Starlette(routes=routes), tenant, service="sharepoint", role=host)


def _graph(tenant: Tenant) -> list[Route]:
    return [
        *graph_batch.routes(tenant),
        *graph_photos.routes(tenant),
        *graph_users.routes(tenant),
        *graph_groups.routes(tenant),
        *graph_subscriptions.routes(tenant),
        *graph_principals.routes(tenant),
        *graph_applications.routes(tenant),
        *graph_sites.routes(tenant),
        # Last, since it answers whatever no other route did.
        *graph_wire.routes(tenant),
    ]
