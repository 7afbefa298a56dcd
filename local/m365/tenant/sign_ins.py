"""Who may sign in to a registration, and with which of its roles."""

from __future__ import annotations

import uuid

from local.m365.tenant.records import App, Assigned, Consent
from local.m365.tenant.tenant import Tenant


def assign(tenant: Tenant, app: App, role_id: str, member: str) -> str:
    """Assign a role of *app* to a person or a group; returns the id of the assignment."""
    made = Assigned(app.client_id.lower(), role_id, member.casefold())
    assigned_id = str(uuid.uuid5(uuid.UUID(tenant.tenant_id), " ".join(made)))
    tenant.assigned[assigned_id] = made
    return assigned_id


def object_id(tenant: Tenant, name: str) -> str:
    """The object id of the user called *name*; a stable invented one if there is no such user."""
    user = tenant.user(name)
    return user.id if user else str(uuid.uuid5(uuid.UUID(tenant.tenant_id), name))


def role_ids(tenant: Tenant, app: App, member: str) -> set[str]:
    """
    The roles of *app* that a person has, directly or through a group.

    Documented (appRoleAssignment): a group's direct members have its roles, those of nested groups
    do not.
    """
    wanted = member.casefold()
    groups = {name for name, group in tenant.groups.items() if wanted in group.members}
    return {
        one.role_id
        for one in tenant.assigned.values()
        if one.client_id == app.client_id.lower() and one.member in {wanted, *groups}
    }


def consented(tenant: Tenant, client_id: str, resource_app_id: str) -> frozenset[str]:
    """The scopes that *client_id* may request on a resource for every user."""
    found: frozenset[str] = frozenset()
    for one in tenant.consents.values():
        if _is_of(one, client_id, resource_app_id):
            found |= one.scopes
    return found


def _is_of(consent: Consent, client_id: str, resource_app_id: str) -> bool:
    pair = (consent.client_id.lower(), consent.resource_app_id.lower())
    return pair == (client_id.lower(), resource_app_id.lower())
