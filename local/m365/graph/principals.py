"""Graph's service principals and the app roles granted to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph import admissions, registrations
from local.m365.graph.admin import admin_route, denied, named, selected
from local.m365.graph.rights import ASSIGN, ASSIGN_ON_GRAPH, READ, REGISTER
from local.m365.graph.wire import bad_request, collection, entity, json_object, not_found
from local.m365.tenant import directory
from local.m365.tenant.directory import Assignment
from local.m365.tenant.records import App
from local.m365.tenant.roles import GRAPH, Resource
from local.m365.tenant.tenant import Tenant

_BAD = "Request_BadRequest"
ONE = "/servicePrincipals{key:object_key}"


def routes(tenant: Tenant) -> list[Route]:
    """
    Documented (servicePrincipal: get, create; appRoleAssignedTo and appRoleAssignments: list,
    grant, delete): methods, paths, bodies and statuses.
    """
    table = [
        ("GET", ONE, READ, get),
        ("POST", "/servicePrincipals", REGISTER._replace(held_by=frozenset()), create),
        ("PATCH", ONE, REGISTER, update),
        ("GET", f"{ONE}/appRoleAssignments", READ, list_granted),
        *(
            entry
            for relation in ("appRoleAssignedTo", "appRoleAssignments")
            for entry in (
                ("POST", f"{ONE}/{relation}", ASSIGN, grant),
                ("DELETE", f"{ONE}/{relation}/{{assignment}}", ASSIGN, revoke),
            )
        ),
    ]
    return [admin_route(tenant, *entry) for entry in table]


def _app(tenant: Tenant, key: str) -> App:
    for object_id, app in directory.principals(tenant).items():
        if named(key, object_id=object_id, app_id=app.client_id):
            if directory.has_replicated(tenant, object_id):
                return app
            break
    raise not_found(key.lstrip("/"))


def _resource(tenant: Tenant, key: str) -> Resource | None:
    for object_id, resource in directory.resources(tenant).items():
        if named(key, object_id=object_id, app_id=resource.app_id):
            return resource
    return None


async def get(tenant: Tenant, request: Request, claims: Claims) -> Response:
    key = str(request.path_params["key"])
    resource = _resource(tenant, key)
    fields = (
        _shown_resource(tenant, resource) if resource else _shown_app(tenant, _app(tenant, key))
    )
    return entity(tenant, "servicePrincipals", selected(request, fields))


def _shown_app(tenant: Tenant, app: App) -> dict[str, Any]:
    return {
        "id": directory.principal_id(tenant, app.client_id),
        "appId": app.client_id,
        "displayName": app.name,
        "accountEnabled": True,
        "servicePrincipalType": "ManagedIdentity" if app.managed_identity else "Application",
        "appRoleAssignmentRequired": app.requires_assignment,
        "appRoles": registrations.shown(app)["appRoles"],
    }


def _shown_resource(tenant: Tenant, resource: Resource) -> dict[str, Any]:
    return {
        "id": directory.principal_id(tenant, resource.app_id),
        "appId": resource.app_id,
        "displayName": resource.name,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "appRoleAssignmentRequired": False,
        "appRoles": [
            {
                "allowedMemberTypes": ["Application"],
                "description": f"{value}, without a signed-in user.",
                "displayName": value,
                "id": role_id,
                "isEnabled": True,
                "origin": "Application",
                "value": value,
            }
            for value, role_id in resource.roles.items()
        ],
    }


async def create(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    Reported (facts/graph.md section 8): 400 with this sentence until the application has reached
    every replica. Assumed: the answer to a second principal for an application.
    """
    wanted = str((await json_object(request)).get("appId", "")).lower()
    app = tenant.apps.get(wanted)
    if app is None or not directory.has_replicated(tenant, directory.application_id(tenant, app)):
        message = (
            f"The appId '{wanted}' of the service principal does not reference a valid "
            "application object."
        )
        raise bad_request(message, _BAD)
    if app.has_principal:
        message = (
            "The service principal cannot be created, updated, or restored because the service "
            f"principal name {wanted} is already in use."
        )
        raise bad_request(message, _BAD)
    made = replace(app, has_principal=True)
    directory.add(tenant, made, directory.principal_id(tenant, made.client_id))
    return entity(tenant, "servicePrincipals", _shown_app(tenant, made), 201)


async def update(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Documented (Update servicePrincipal): 204."""
    app = _app(tenant, str(request.path_params["key"]))
    body = await json_object(request)
    required = body.get("appRoleAssignmentRequired")
    if set(body) != {"appRoleAssignmentRequired"} or not isinstance(required, bool):
        raise bad_request("The simulator updates only appRoleAssignmentRequired.", _BAD)
    tenant.apps[app.client_id.lower()] = replace(app, requires_assignment=required)
    return Response(status_code=204)


async def list_granted(tenant: Tenant, request: Request, claims: Claims) -> Response:
    app = _app(tenant, str(request.path_params["key"]))
    value = [_shown(tenant, one) for one in directory.assignments(tenant, app)]
    return collection(tenant, "appRoleAssignments", value)


def _shown(tenant: Tenant, one: Assignment) -> dict[str, Any]:
    return {
        "id": one.id,
        "deletedDateTime": None,
        "appRoleId": one.resource.roles[one.role],
        "createdDateTime": tenant.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "principalDisplayName": one.app.name,
        "principalId": directory.principal_id(tenant, one.app.client_id),
        "principalType": "ServicePrincipal",
        "resourceDisplayName": one.resource.name,
        "resourceId": directory.principal_id(tenant, one.resource.app_id),
    }


async def grant(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    Reported (facts/graph.md section 8): 400 with these sentences for a role that is already
    granted, one that the resource does not define, and an object that not every replica knows.
    """
    body = await json_object(request)
    own = directory.principals(tenant).get(str(body.get("resourceId")).lower())
    if own is not None:
        _check_side(request, str(body["resourceId"]))
        return entity(tenant, "appRoleAssignments", admissions.assign(tenant, own, body), 201)
    resource = _resource(tenant, f"/{body.get('resourceId')}")
    app = directory.principals(tenant).get(str(body.get("principalId")).lower())
    if resource is None or app is None:
        raise not_found(str(body.get("resourceId" if resource is None else "principalId")))
    if not directory.has_replicated(tenant, directory.principal_id(tenant, app.client_id)):
        raise bad_request("Not a valid reference update.", _BAD)
    _check_path(tenant, request, app, resource)
    _may_administer(claims, resource)
    role = next((k for k, v in resource.roles.items() if v == body.get("appRoleId")), None)
    if role is None:
        message = f"Permission being assigned was not found on application '{resource.app_id}'."
        raise bad_request(message, _BAD)
    if role in directory.granted(tenant, app, resource.key):
        raise bad_request("Permission being assigned already exists on the object", _BAD)
    made = directory.assign(tenant, app, resource, role)
    return entity(tenant, "appRoleAssignments", _shown(tenant, made), 201)


async def revoke(tenant: Tenant, request: Request, claims: Claims) -> Response:
    wanted = str(request.path_params["assignment"])
    if wanted in tenant.assigned:
        client_id = tenant.assigned[wanted].client_id
        _check_side(request, directory.principal_id(tenant, client_id))
        del tenant.assigned[wanted]
        return Response(status_code=204)
    for app in directory.principals(tenant).values():
        for one in directory.assignments(tenant, app):
            if one.id == wanted:
                _check_path(tenant, request, app, one.resource)
                _may_administer(claims, one.resource)
                directory.unassign(tenant, one)
                return Response(status_code=204)
    raise not_found(wanted)


def _check_side(request: Request, object_id: str) -> None:
    """Here, roles of people can be changed only on the resource's side, by its object id."""
    if (
        request.path_params["key"] != f"/{object_id}"
        or "/appRoleAssignedTo" not in request.url.path
    ):
        raise bad_request("The path does not name the resource of the assignment.", _BAD)


def _check_path(tenant: Tenant, request: Request, app: App, resource: Resource) -> None:
    """Documented: appRoleAssignedTo is the resource's side, appRoleAssignments the client's."""
    app_id = resource.app_id if "/appRoleAssignedTo" in request.url.path else app.client_id
    object_id = directory.principal_id(tenant, app_id)
    if not named(str(request.path_params["key"]), object_id=object_id, app_id=app_id):
        raise bad_request("The path does not name a side of the assignment.", _BAD)


def _may_administer(claims: Claims, resource: Resource) -> None:
    right = ASSIGN_ON_GRAPH if resource == GRAPH else ASSIGN
    if not right.is_held_by(claims):
        raise denied()
