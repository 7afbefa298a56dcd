"""Sign-in on another device: issues codes, and exchanges them for tokens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta

from local.m365.entra import id_tokens, own_tokens, tokens
from local.m365.entra.aadsts import Aadsts
from local.m365.tenant.admins import PUBLIC_CLIENTS, DeviceCode
from local.m365.tenant.tenant import Tenant

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
LIFETIME = timedelta(minutes=15)
# Scopes of OpenID Connect, which belong to no resource.
_OPENID_SCOPES = {"openid", "profile", "email", "offline_access"}
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def begin(tenant: Tenant, form: Mapping[str, str]) -> dict[str, object]:
    """
    Issue a code.

    Documented (Entra, device authorization grant): the members of the answer, 15 minutes.
    Assumed: scopes of a second resource besides Graph are refused, as for any token.
    """
    client_id = form.get("client_id", "").lower()
    if client_id not in PUBLIC_CLIENTS and not own_tokens.is_public(tenant, client_id):
        raise Aadsts(700016, "Application was not found in the directory 'contoso'.")
    requested = [one for one in form.get("scope", "").split() if one not in _OPENID_SCOPES]
    app = own_tokens.resource(tenant, requested[0], client_id) if len(requested) == 1 else None
    scopes = tuple(requested) if app else tuple(_scope(tenant, one) for one in requested)
    if not scopes:
        raise Aadsts(70011, "The provided value for the input parameter 'scope' is not valid.")
    device_code = secrets.token_urlsafe(48)
    user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
    expires = tenant.login_time() + LIFETIME
    tenant.device_codes[device_code] = DeviceCode(
        user_code, client_id, scopes, expires, app=app.client_id.lower() if app else ""
    )
    page = f"{tenant.urls.login}/device"
    return {
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": int(LIFETIME.total_seconds()),
        "interval": tenant.switches.device_code_interval,
        "message": f"To sign in, use a web browser to open the page {page} and enter the code "
        f"{user_code} to authenticate.",
    }


def _scope(tenant: Tenant, scope: str) -> str:
    prefix = f"{tenant.urls.graph}/"
    if not scope.startswith(prefix) or scope == prefix:
        raise Aadsts(70011, f"The scope '{scope}' is not valid.")
    return scope.removeprefix(prefix)


def exchange(tenant: Tenant, form: Mapping[str, str]) -> dict[str, object]:
    """
    The token for a device code, or the reason why there is none.

    Documented (the same page): authorization_pending, authorization_declined,
        bad_verification_code, expired_token; an id_token if `openid` was requested.
    """
    device_code = form.get("device_code", "")
    known = tenant.device_codes.get(device_code)
    if known is None or known.client_id != form.get("client_id", "").lower():
        raise Aadsts(70018, "Invalid verification code.")
    if known.expires <= tenant.login_time():
        raise Aadsts(70019, "The code has expired.")
    if known.declined:
        raise Aadsts(70017, "The user declined the request.")
    if known.person is None:
        text = "The provided request has not yet been authorized by the user."
        raise Aadsts(70016, text)
    del tenant.device_codes[device_code]
    graph, person = tenant.urls.graph, known.person
    if known.app:
        # Assumed: the device gets the error; whether only the page shows it is undocumented.
        token = own_tokens.issue(tenant, person, known.client_id, tenant.apps[known.app])
        scope = " ".join(known.scopes)
    else:
        token = tokens.issue_to_person(tenant, person, known.client_id, graph, known.scopes)
        scope = " ".join(f"{graph}/{scope}" for scope in known.scopes)
    return {
        "token_type": "Bearer",
        "scope": scope,
        "expires_in": int(tokens.LIFETIME.total_seconds()),
        "ext_expires_in": int(tokens.LIFETIME.total_seconds()),
        "access_token": token,
        "id_token": id_tokens.issue(tenant, person.name, known.client_id),
    }
