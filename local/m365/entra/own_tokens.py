"""Tokens with which people call one of the tenant's own apps: who gets one, and its claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.m365.entra import tokens
from local.m365.entra.aadsts import Aadsts
from local.m365.tenant import sign_ins
from local.m365.tenant.admins import Person
from local.m365.tenant.records import App
from local.m365.tenant.tenant import Tenant

_DEFAULT = "/.default"


def resource(tenant: Tenant, scope: str, client_id: str) -> App | None:
    """
    The app that *scope* names by its id or its identifier; None for other kinds of scope.

    Documented (AADSTS90009): an app that requests a token for itself must use its id.
    """
    name = scope.removesuffix(_DEFAULT)
    app = tenant.apps.get(name.removeprefix("api://").lower())
    if name == scope or app is None or app.managed_identity:
        return None
    if name.startswith("api://"):
        if name not in app.settings.get("identifierUris", ()):
            return None
        if client_id == app.client_id.lower():
            raise Aadsts(
                90009,
                f"Application '{client_id}' is requesting a token for itself. This scenario is "
                "supported only if resource is specified using the GUID based App Identifier.",
            )
    return app


def is_public(tenant: Tenant, client_id: str) -> bool:
    """Documented (application): `isFallbackPublicClient` allows requests without a credential."""
    app = tenant.apps.get(client_id)
    return app is not None and app.settings.get("isFallbackPublicClient") is True


def issue(tenant: Tenant, person: Person, client_id: str, app: App) -> str:
    """
    A token of *person* for *app*. Raises Aadsts.

    Documented: a registration needs its service principal (AADSTS7000229). If assignment is
    required, people without one are refused (AADSTS50105). Only an admin's consent or
    preauthorization counts (AADSTS65001). Documented (access token claims): the registration sets
    the version; a token of version 2 has the app's id as audience. Both versions contain the
    assigned roles.
    """
    if not app.has_principal:
        text = f"The client application {app.client_id} is missing service principal in the tenant"
        raise Aadsts(7000229, f"{text} {tenant.tenant_id}.")
    member = sign_ins.object_id(tenant, person.name)
    held = sign_ins.role_ids(tenant, app, member)
    if app.requires_assignment and not held:
        raise Aadsts(
            50105,
            f"Your administrator has configured the application {app.name} ('{app.client_id}') to "
            "block users unless they are specifically granted ('assigned') access to the "
            f"application. The signed in user '{person.name}' is blocked.",
        )
    scopes = _scopes(tenant, client_id, app)
    if not scopes:
        raise Aadsts(
            65001,
            "The user or administrator has not consented to use the application with ID "
            f"'{client_id}'. Send an interactive authorization request for this user and resource.",
        )
    claims: dict[str, object] = {
        "azp": client_id,
        "azpacr": tokens.PUBLIC_CLIENT,
        "idtyp": "user",
        "name": person.name.partition("@")[0],
        "oid": member,
        "preferred_username": person.name,
        "roles": sorted(role["value"] for role in app.settings["appRoles"] if role["id"] in held),
        "scp": " ".join(sorted(scopes)),
        "sub": member,
    }
    if app.settings.get("api", {}).get("requestedAccessTokenVersion") == 2:
        new = {"iss": f"{tenant.urls.login}/{tenant.tenant_id}/v2.0", "ver": "2.0"}
        return tokens.signed(tenant, app.client_id, claims | new)
    return tokens.signed(tenant, f"api://{app.client_id}", {**claims, "appid": client_id})


def _scopes(tenant: Tenant, client_id: str, app: App) -> set[str]:
    api: Mapping[str, Any] = app.settings.get("api", {})
    ids = {
        scope_id
        for one in api.get("preAuthorizedApplications", ())
        if one["appId"].lower() == client_id
        for scope_id in one["delegatedPermissionIds"]
    }
    consented = sign_ins.consented(tenant, client_id, app.client_id)
    return {
        one["value"]
        for one in api.get("oauth2PermissionScopes", ())
        if one["isEnabled"] and (one["id"] in ids or one["value"] in consented)
    }
