"""Applications, service principals and app role assignments: reads and changes."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from local.m365.tenant.records import App, Role
from local.m365.tenant.roles import GRAPH, RESOURCES, Resource
from local.m365.tenant.tenant import Tenant


class Assignment(NamedTuple):
    """One app role that was granted to a service principal."""

    id: str
    app: App
    resource: Resource
    role: str


def principal_id(tenant: Tenant, app_id: str) -> str:
    """The object id of the service principal of *app_id*, which is an app or a resource."""
    return str(uuid.uuid5(uuid.UUID(tenant.tenant_id), app_id.lower()))


def application_id(tenant: Tenant, app: App) -> str:
    """The object id of the registration, which differs from that of its service principal."""
    return str(uuid.uuid5(uuid.UUID(tenant.tenant_id), f"application {app.client_id.lower()}"))


def has_replicated(tenant: Tenant, object_id: str) -> bool:
    """
    Whether this request sees an object; `directoryLag` requests do not see a new one.

    Reported (facts/graph.md section 8): it takes seconds to minutes until every replica knows it.
    """
    left = tenant.unseen.get(object_id, 0)
    tenant.unseen[object_id] = max(left - 1, 0)
    return left == 0


def add(tenant: Tenant, app: App, object_id: str) -> None:
    """Add *app* under its new *object_id*."""
    tenant.apps[app.client_id.lower()] = app
    tenant.unseen[object_id] = tenant.switches.directory_lag


def principals(tenant: Tenant) -> dict[str, App]:
    """Every app that has a service principal, by its object id."""
    apps = [app for app in tenant.apps.values() if app.has_principal]
    return {principal_id(tenant, app.client_id): app for app in apps}


def resources(tenant: Tenant) -> dict[str, Resource]:
    """The services that define roles, by the object id of their service principal."""
    return {principal_id(tenant, one.app_id): one for one in RESOURCES.values()}


def granted(tenant: Tenant, app: App, resource: str) -> frozenset[str]:
    """The roles that *app* currently has on the resource called *resource*."""
    given = app.graph_roles if resource == GRAPH.key else app.sharepoint_roles
    return frozenset(
        role for role in given if Role(app.client_id, resource, role) not in tenant.withdrawn
    )


def assignments(tenant: Tenant, app: App) -> Iterator[Assignment]:
    """The roles granted to *app*, as far as the resources define them."""
    for resource in RESOURCES.values():
        for role in sorted(granted(tenant, app, resource.key)):
            if role in resource.roles:
                yield Assignment(_assignment_id(app, resource, role), app, resource, role)


def assign(tenant: Tenant, app: App, resource: Resource, role: str) -> Assignment:
    """Grant *role*; tokens issued from now on have it."""
    tenant.withdrawn.pop(Role(app.client_id, resource.key, role), None)
    _set(tenant, app, resource, granted(tenant, app, resource.key) | {role})
    return Assignment(_assignment_id(app, resource, role), app, resource, role)


def unassign(tenant: Tenant, one: Assignment) -> None:
    """Remove a role; tokens already issued keep it until they expire."""
    left = granted(tenant, one.app, one.resource.key) - {one.role}
    _set(tenant, one.app, one.resource, left)


def _set(tenant: Tenant, app: App, resource: Resource, roles: frozenset[str]) -> None:
    if resource == GRAPH:
        changed = replace(app, graph_roles=roles)
    else:
        changed = replace(app, sharepoint_roles=roles)
    tenant.apps[app.client_id.lower()] = changed


def _assignment_id(app: App, resource: Resource, role: str) -> str:
    # As long as a real id, which is opaque too.
    digest = hashlib.sha256(f"{app.client_id} {resource.key} {role}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
