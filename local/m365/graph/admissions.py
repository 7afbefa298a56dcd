"""Access to an app: roles of people and groups, and consents for every user."""

from __future__ import annotations

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph import registrations
from local.m365.graph.admin import admin_route
from local.m365.graph.rights import CONSENT, READ, READ_CONSENT
from local.m365.graph.wire import Refusal, bad_request, collection, entity, json_object, not_found
from local.m365.tenant import directory, sign_ins
from local.m365.tenant.records import App, Assigned, Consent
from local.m365.tenant.roles import GRAPH
from local.m365.tenant.tenant import Tenant

_BAD = "Request_BadRequest"
# Documented (oAuth2PermissionGrant): Microsoft Graph also grants OpenID's scopes.
_OF_GRAPH = {"email", "offline_access", "openid", "profile", "User.Read"}


def routes(tenant: Tenant) -> list[Route]:
    """Documented (oAuth2PermissionGrant: list, create, update, delete): paths, bodies, statuses."""
    one = "/oauth2PermissionGrants/{grant}"
    listed = "/servicePrincipals/{principal}/oauth2PermissionGrants"
    return [
        admin_route(tenant, "GET", listed, READ_CONSENT, list_consents),
        admin_route(tenant, "POST", "/oauth2PermissionGrants", CONSENT, consent),
        admin_route(tenant, "PATCH", one, CONSENT, change_consent),
        admin_route(tenant, "DELETE", one, CONSENT, withdraw),
        admin_route(
            tenant, "GET", "/servicePrincipals/{principal}/appRoleAssignedTo", READ, list_assigned
        ),
    ]


def _app(tenant: Tenant, object_id: object) -> App:
    app = directory.principals(tenant).get(str(object_id).lower())
    if app is None or not directory.has_replicated(tenant, str(object_id).lower()):
        raise not_found(str(object_id))
    return app


async def list_assigned(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Documented (List appRoleAssignedTo): who was granted a role of this principal."""
    app = _app(tenant, request.path_params["principal"])
    value = [
        shown(tenant, key, one)
        for key, one in tenant.assigned.items()
        if one.client_id == app.client_id.lower()
    ]
    return collection(tenant, "appRoleAssignments", value)


def shown(tenant: Tenant, assigned_id: str, one: Assigned) -> dict[str, Any]:
    user, group = tenant.users.get(one.member), tenant.groups.get(one.member)
    app = tenant.apps[one.client_id]
    return {
        "id": assigned_id,
        "appRoleId": one.role_id,
        "principalDisplayName": next((each.display_name for each in (user, group) if each), ""),
        "principalId": one.member,
        "principalType": "User" if user else "Group",
        "resourceDisplayName": app.name,
        "resourceId": directory.principal_id(tenant, app.client_id),
    }


def assign(tenant: Tenant, app: App, body: dict[str, Any]) -> dict[str, Any]:
    """Assign a role to a person or a group. Raises Refusal (the same sentences as for an app)."""
    member, role_id = str(body.get("principalId")).casefold(), str(body.get("appRoleId"))
    if member not in tenant.users and member not in tenant.groups:
        raise not_found(member)
    if role_id not in registrations.roles(app):
        message = f"Permission being assigned was not found on application '{app.client_id}'."
        raise bad_request(message, _BAD)
    if Assigned(app.client_id.lower(), role_id, member) in tenant.assigned.values():
        raise bad_request("Permission being assigned already exists on the object", _BAD)
    made = sign_ins.assign(tenant, app, role_id, member)
    return shown(tenant, made, tenant.assigned[made])


async def list_consents(tenant: Tenant, request: Request, claims: Claims) -> Response:
    app = _app(tenant, request.path_params["principal"])
    value = [
        _shown(tenant, key, one)
        for key, one in tenant.consents.items()
        if one.client_id == app.client_id.lower()
    ]
    return collection(tenant, "oauth2PermissionGrants", value)


def _shown(tenant: Tenant, key: str, one: Consent) -> dict[str, Any]:
    return {
        "id": key,
        "clientId": directory.principal_id(tenant, one.client_id),
        "consentType": "AllPrincipals",
        "principalId": None,
        "resourceId": directory.principal_id(tenant, one.resource_app_id),
        "scope": " ".join(sorted(one.scopes)),
    }


async def consent(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Assumed: a second consent for the same client and resource is refused with 409."""
    body = await json_object(request)
    if body.get("consentType") != "AllPrincipals" or body.get("principalId"):
        raise bad_request("The simulator supports only consent for all users.", _BAD)
    client = _app(tenant, body.get("clientId"))
    resource_id, scopes = str(body.get("resourceId")), _scopes(body)
    resource_app_id = _resource(tenant, resource_id, scopes)
    made = Consent(client.client_id.lower(), resource_app_id, scopes)
    for one in tenant.consents.values():
        if (one.client_id, one.resource_app_id) == (made.client_id, made.resource_app_id):
            raise Refusal(409, "Request_MultipleObjectsWithSameKeyValue", "It exists already.")
    key = str(uuid.uuid4())
    tenant.consents[key] = made
    return entity(tenant, "oauth2PermissionGrants", _shown(tenant, key, made), 201)


def _resource(tenant: Tenant, object_id: str, scopes: frozenset[str]) -> str:
    if object_id == directory.principal_id(tenant, GRAPH.app_id):
        known, app_id = _OF_GRAPH, GRAPH.app_id
    else:
        app = _app(tenant, object_id)
        api = registrations.shown(app)["api"]
        known = {one["value"] for one in api["oauth2PermissionScopes"] if one["isEnabled"]}
        app_id = app.client_id.lower()
    if not scopes <= known:
        # Assumed: the sentence.
        raise bad_request("A scope is not one of the resource's.", _BAD)
    return app_id


def _scopes(body: dict[str, Any]) -> frozenset[str]:
    return frozenset(str(body.get("scope") or "").split())


def _one(tenant: Tenant, request: Request) -> Consent:
    key = str(request.path_params["grant"])
    if key not in tenant.consents:
        raise not_found(key)
    return tenant.consents[key]


async def change_consent(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Documented: only `scope` can be changed, and is replaced as a whole."""
    one, body = _one(tenant, request), await json_object(request)
    if set(body) != {"scope"}:
        raise bad_request("Only scope can be updated.", _BAD)
    resource = directory.principal_id(tenant, one.resource_app_id)
    _resource(tenant, resource, _scopes(body))
    one.scopes = _scopes(body)
    return Response(status_code=204)


async def withdraw(tenant: Tenant, request: Request, claims: Claims) -> Response:
    _one(tenant, request)
    del tenant.consents[str(request.path_params["grant"])]
    return Response(status_code=204)
