"""
The other properties of a registration besides keys: addresses, scopes, roles; and writes to them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from local.m365.graph.wire import Refusal, bad_request
from local.m365.tenant.records import App
from local.m365.tenant.tenant import Tenant

_BAD = "Request_BadRequest"
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Documented (application, webApplication, implicitGrantSettings, apiApplication): the members.
_WEB = {"homePageUrl", "implicitGrantSettings", "logoutUrl", "redirectUris"}
_IMPLICIT = {"enableAccessTokenIssuance", "enableIdTokenIssuance"}
_SCOPES, _CLIENTS = "oauth2PermissionScopes", "preAuthorizedApplications"
_API = {
    "acceptMappedClaims",
    "knownClientApplications",
    "requestedAccessTokenVersion",
    _SCOPES,
    _CLIENTS,
}
_EMPTY: Mapping[str, Any] = {
    "identifierUris": [],
    "web": {
        "homePageUrl": None,
        "logoutUrl": None,
        "redirectUris": [],
        "implicitGrantSettings": dict.fromkeys(sorted(_IMPLICIT), False),
    },
    "api": {
        "acceptMappedClaims": None,
        "knownClientApplications": [],
        "requestedAccessTokenVersion": None,
        _SCOPES: [],
        _CLIENTS: [],
    },
    "appRoles": [],
    "isFallbackPublicClient": None,
}
PROPERTIES = frozenset(_EMPTY)


def shown(app: App) -> dict[str, Any]:
    """All of these properties, as Graph shows them."""
    return {
        name: {**empty, **app.settings.get(name, {})}
        if isinstance(empty, dict)
        else app.settings.get(name, empty)
        for name, empty in _EMPTY.items()
    }


def written(tenant: Tenant, app: App, body: Mapping[str, Any]) -> dict[str, Any]:
    """
    The settings of *app* after a write of *body*; the caller handles its other properties.

    Assumed, as the stricter of two: a write replaces `web` and `api` as a whole.
    """
    now = shown(app)
    change = {name: value for name, value in body.items() if name in PROPERTIES}
    if "web" in change:
        change["web"] = _web(change["web"])
    if "api" in change:
        change["api"] = _api(change["api"], now["api"])
    if "appRoles" in change:
        _check_roles(change["appRoles"])
        _check_kept(now["appRoles"], change["appRoles"])
    if "identifierUris" in change:
        _check_identifiers(tenant, app, change["identifierUris"])
    if not isinstance(change.get("isFallbackPublicClient"), bool | None):
        raise bad_request("isFallbackPublicClient is a boolean.", _BAD)
    return {**now, **change}


def roles(app: App) -> dict[str, str]:
    """The values of the enabled roles, by id."""
    return {str(one["id"]): one["value"] for one in shown(app)["appRoles"] if one["isEnabled"]}


def _members(value: object, known: set[str], of: str) -> dict[str, Any]:
    if not isinstance(value, dict) or set(value) - known:
        raise bad_request(f"Unexpected contents in request body: {of}.", _BAD)
    return value


def _objects(value: object, of: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise bad_request(f"{of} is a collection of objects.", _BAD)
    return value


def _web(value: object) -> dict[str, Any]:
    """Documented (redirect URI restrictions): https, or http on this machine."""
    web = {**_EMPTY["web"], **_members(value, _WEB, "web")}
    _members(web["implicitGrantSettings"], _IMPLICIT, "implicitGrantSettings")
    for uri in web["redirectUris"]:
        parts = urlsplit(str(uri))
        local = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1"}
        if not parts.hostname or (parts.scheme != "https" and not local):
            raise _invalid("web.redirectUris", "One or more redirect URIs are not valid.")
    return web


def _api(value: object, now: Mapping[str, Any]) -> dict[str, Any]:
    api = {**_EMPTY["api"], **_members(value, _API, "api")}
    if api["requestedAccessTokenVersion"] not in (None, 1, 2):
        raise _invalid("api.requestedAccessTokenVersion", "The version is not valid.")
    _check_scopes(api[_SCOPES])
    _check_kept(now[_SCOPES], api[_SCOPES])
    # Reported (microsoft-graph-docs-contrib#1395): a scope of the same request is not known yet.
    known = {one["id"] for one in now[_SCOPES]}
    for client in _objects(api[_CLIENTS], _CLIENTS):
        # Reported (microsoft-graph-docs-contrib#2406): v1.0 does not accept `permissionIds`.
        _members(client, {"appId", "delegatedPermissionIds"}, _CLIENTS)
        if not set(client["delegatedPermissionIds"]) <= known:
            raise _invalid(
                "api.preAuthorizedApplications.delegatedPermissionIds",
                "Property api.preAuthorizedApplications.delegatedPermissionIds has a Permission Id "
                "that cannot be found in the AppPermissions sets.",
            )
    return api


def _check_scopes(value: object) -> None:
    """Documented (permissionScope): the required members of an enabled delegated permission."""
    needed = {"id", "value", "type", "adminConsentDisplayName", "adminConsentDescription"}
    for scope in _objects(value, _SCOPES):
        if not _GUID.fullmatch(str(scope.get("id"))) or not all(scope.get(one) for one in needed):
            raise _invalid(f"api.{_SCOPES}", "A permission scope is not complete.")


def _check_roles(value: object) -> None:
    """Documented (appRole): the members; id and value are unique in a registration."""
    roles = _objects(value, "appRoles")
    for role in roles:
        types = role.get("allowedMemberTypes") or []
        complete = all(role.get(name) for name in ("displayName", "description", "value"))
        if not complete or not types or set(types) - {"User", "Application"}:
            raise _invalid("appRoles", "An app role is not complete.")
        if not _GUID.fullmatch(str(role.get("id"))):
            raise _invalid("appRoles", "The id of an app role is a GUID.")
    for name in ("id", "value"):
        if len({role[name] for role in roles}) != len(roles):
            raise _invalid("appRoles", f"It contains duplicate value for the property {name}.")


def _check_kept(now: list[dict[str, Any]], then: list[dict[str, Any]]) -> None:
    """Reported (msgraph-sdk-dotnet#1888): an enabled scope or role cannot be removed or changed."""
    left = {one["id"]: one for one in then}
    for one in now:
        if one.get("isEnabled") and left.get(one["id"]) != one:
            message = (
                "Permission (scope or role) cannot be deleted or updated unless disabled first."
            )
            raise Refusal(400, "CannotDeleteOrUpdateEnabledEntitlement", message)


def _check_identifiers(tenant: Tenant, app: App, value: object) -> None:
    """
    Documented (identifier URI restrictions): `api://` with the app's or the tenant's id, or a
    verified domain.
    """
    own = (app.client_id.lower(), tenant.tenant_id.lower(), tenant.domain)
    uris = value if isinstance(value, list) else []
    if not all(any(one in str(uri).lower() for one in own) for uri in uris):
        message = (
            "Values of identifierUris property must use a verified domain of the organization or "
            "its subdomain."
        )
        raise Refusal(400, "HostNameNotOnVerifiedDomain", message)


def _invalid(target: str, message: str) -> Refusal:
    return Refusal(400, "InvalidValue", f"{message} ({target})")
