"""
What the console's app registration must look like, and the changes to get there.

Pure: it calls nothing. Sources: functions.md, Sign-in: what infra and grant set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from admin.terminal.fields import Fields

NAME = "PhotoSync console"
# Where App Service receives people after they sign in.
CALLBACK = "/.auth/login/aad/callback"
# Microsoft's public client that `az account get-access-token` uses.
AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
SCOPE = "user_impersonation"
# What the sign-in itself requests from Microsoft Graph.
SIGN_IN_SCOPES = ("email", "offline_access", "openid", "profile")

# The ids are the same in every tenant, so that a later run or another machine recognises them.
_SCOPE_ID = "8fd49e84-9f4f-4828-9fb4-c2f1f5ee677d"


class Role(NamedTuple):
    """An app role for people and groups; the app reads `value` from their token."""

    value: str
    id: str
    purpose: str


VIEWER = Role("Viewer", "11d3e2e0-bd0b-4682-99f9-8f120a6fc3cc", "to view, without giving orders")
OPERATOR = Role("Operator", "b1d23281-0e87-4fc0-9eaa-93567e202fcf", "to view and to give orders")
ROLES = (VIEWER, OPERATOR)


def new(callback: str) -> dict[str, Any]:
    """
    The request body that registers it. What needs its client id or its own scope is added later by
    `changes`: Graph refuses both in one request.
    """
    nothing = Fields({})
    return {
        "displayName": NAME,
        "signInAudience": "AzureADMyOrg",
        "web": _web(nothing, callback),
        "api": _api(nothing),
        "appRoles": [_role(role) for role in ROLES],
        "isFallbackPublicClient": True,
    }


def differences(app: Fields, callback: str) -> list[str]:
    """What is not as it must be, in words; empty if all is right."""
    return list(dict.fromkeys(what for what, _ in _wanted(app, callback)))


def changes(app: Fields, callback: str) -> Mapping[str, Any]:
    """The properties to write now; repeat until empty (the scope first, then its clients)."""
    wanted = list(_wanted(app, callback))
    body: dict[str, Any] = {}
    for _, change in wanted:
        # A second change to the same property waits for the next request.
        body = {**change, **body}
    return body


def _wanted(app: Fields, callback: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if app.text("signInAudience") != "AzureADMyOrg":
        yield "this tenant only", {"signInAudience": "AzureADMyOrg"}
    web = app.part("web")
    if callback not in _texts(web, "redirectUris"):
        yield "redirect address", {"web": _web(web, callback)}
    if not _is_implicit(web):
        yield "ID tokens", {"web": _web(web, callback)}
    uri, uris = f"api://{app.text('appId')}", _texts(app, "identifierUris")
    if uri not in uris:
        yield "identifier", {"identifierUris": [*uris, uri]}
    roles = _roles(app)
    if roles != app.raw.get("appRoles"):
        yield "roles", {"appRoles": roles}
    if not app.flag("isFallbackPublicClient"):
        yield "device codes", {"isFallbackPublicClient": True}
    yield from _wanted_of_api(app.part("api"))


def _wanted_of_api(api: Fields) -> Iterator[tuple[str, dict[str, Any]]]:
    body = _api(api)
    for what, name in (("tokens of version 2", "requestedAccessTokenVersion"), ("scope", _SCOPES)):
        if body[name] != api.raw.get(name):
            yield what, {"api": body}
    if not _knows_azure_cli(api):
        others = [one for one in _list(api, _CLIENTS) if Fields.of(one).text("appId") != AZURE_CLI]
        ours = {"appId": AZURE_CLI, "delegatedPermissionIds": [_SCOPE_ID]}
        yield "Azure CLI", {"api": {**body, _CLIENTS: [*others, ours]}}


_SCOPES, _CLIENTS = "oauth2PermissionScopes", "preAuthorizedApplications"


def _web(app: Fields, callback: str) -> dict[str, Any]:
    """All of `web` that we know: a write may drop what it leaves out."""
    kept = {name: app.raw[name] for name in ("homePageUrl", "logoutUrl") if app.raw.get(name)}
    return {
        **kept,
        "redirectUris": list(dict.fromkeys([*_texts(app, "redirectUris"), callback])),
        # Without a secret, App Service gets an ID token from the browser, never a code.
        "implicitGrantSettings": {
            "enableIdTokenIssuance": True,
            "enableAccessTokenIssuance": False,
        },
    }


def _is_implicit(web: Fields) -> bool:
    settings = web.part("implicitGrantSettings")
    return settings.flag("enableIdTokenIssuance") and not settings.flag("enableAccessTokenIssuance")


def _api(app: Fields) -> dict[str, Any]:
    """All of `api`, with our scope; the pre-authorised clients stay as they are."""
    scopes = _list(app, _SCOPES)
    ours = next((one for one in scopes if Fields.of(one).text("id").casefold() == _SCOPE_ID), None)
    if ours is None:
        scopes = [*scopes, _scope()]
    elif not Fields.of(ours).flag("isEnabled"):
        scopes = [_scope() if one is ours else one for one in scopes]
    kept = {name: app.raw[name] for name in ("acceptMappedClaims",) if app.raw.get(name)}
    return {
        **kept,
        "knownClientApplications": _list(app, "knownClientApplications"),
        # Version 1 tokens have another issuer than App Service expects.
        "requestedAccessTokenVersion": 2,
        _SCOPES: scopes,
        _CLIENTS: _list(app, _CLIENTS),
    }


def _knows_azure_cli(api: Fields) -> bool:
    return any(
        one.text("appId").casefold() == AZURE_CLI
        and _SCOPE_ID in _texts(one, "delegatedPermissionIds")
        for one in api.parts(_CLIENTS)
    )


def _roles(app: Fields) -> list[Any]:
    """The existing roles and ours: an enabled role can be neither changed nor removed."""
    kept = _list(app, "appRoles")
    for role in ROLES:
        at = [i for i, one in enumerate(kept) if Fields.of(one).text("id").casefold() == role.id]
        if not at:
            kept = [*kept, _role(role)]
        elif not Fields.of(kept[at[0]]).flag("isEnabled"):
            kept[at[0]] = _role(role)
    return kept


def _role(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "value": role.value,
        "displayName": role.value,
        "description": f"PhotoSync console: {role.purpose}.",
        "allowedMemberTypes": ["User"],
        "isEnabled": True,
    }


def _scope() -> dict[str, Any]:
    about = f"Open the {NAME} as the signed-in user, with that user's role."
    return {
        "id": _SCOPE_ID,
        "value": SCOPE,
        "type": "User",
        "adminConsentDisplayName": f"Open the {NAME}",
        "adminConsentDescription": about,
        "userConsentDisplayName": f"Open the {NAME}",
        "userConsentDescription": about,
        "isEnabled": True,
    }


def _list(app: Fields, name: str) -> list[Any]:
    value = app.raw.get(name)
    return list(value) if isinstance(value, list) else []


def _texts(app: Fields, name: str) -> list[str]:
    return [str(one) for one in _list(app, name)]
