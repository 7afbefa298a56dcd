"""App registrations as the control API shows them, and the removal and restoring of roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from local.m365.tenant import directory
from local.m365.tenant.fault_plan import only
from local.m365.tenant.records import App, Role
from local.m365.tenant.roles import RESOURCES
from local.m365.tenant.tenant import Tenant


async def list_apps(tenant: Tenant, request: Request, body: Any) -> Any:
    return {"apps": described(tenant)}


async def change_roles(tenant: Tenant, request: Request, body: Any) -> Any:
    change(tenant, request.path_params["app"], body)
    return await list_apps(tenant, request, body)


TABLE = (("GET", "/apps", list_apps), ("POST", "/apps/{app}/roles", change_roles))


def described(tenant: Tenant) -> list[dict[str, Any]]:
    """Every app with its current roles."""
    return [
        {
            "clientId": app.client_id,
            "roles": {
                resource: sorted(directory.granted(tenant, app, resource)) for resource in RESOURCES
            },
            "siteGrant": tenant.site_grants.get(app.client_id.lower()),
        }
        for app in tenant.apps.values()
    ]


def change(tenant: Tenant, client_id: str, order: Mapping[str, Any]) -> None:
    """
    Remove roles from an app or restore them. Raises ValueError and then changes nothing.

    Documented: a token keeps its roles until it expires. `oldTokens` shortens that hour: tokens
    already issued lose the role immediately.
    """
    only(order, "resource", "take", "give", "oldTokens")
    app = tenant.apps.get(client_id.lower())
    if app is None:
        raise ValueError(f"no app {client_id}")
    resource = str(order.get("resource"))
    granted = _granted(app).get(resource)
    if granted is None:
        raise ValueError("resource must be graph or sharepoint")
    old_tokens = order.get("oldTokens", False)
    if not isinstance(old_tokens, bool):
        raise ValueError("oldTokens must be true or false")
    take, give = (_roles(order.get(key, []), app, resource, granted) for key in ("take", "give"))
    for role in take:
        tenant.withdrawn[role] = old_tokens
    for role in give:
        tenant.withdrawn.pop(role, None)


def _granted(app: App) -> dict[str, frozenset[str]]:
    return {"graph": app.graph_roles, "sharepoint": app.sharepoint_roles}


def _roles(raw: object, app: App, resource: str, granted: frozenset[str]) -> list[Role]:
    if not isinstance(raw, list):
        raise ValueError("take and give are lists of roles")
    for name in raw:
        if name not in granted:
            raise ValueError(f"the app was not started with {name} on {resource}")
    return [Role(app.client_id, resource, name) for name in raw]
