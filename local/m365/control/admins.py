"""Sign-ins through the control API: a name is enough, no password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from local.m365.entra import own_tokens, tokens
from local.m365.entra.aadsts import Aadsts
from local.m365.tenant.admins import AZURE_CLI, AZURE_CLI_SCOPES, TEMPLATES, Person
from local.m365.tenant.fault_plan import only
from local.m365.tenant.tenant import Tenant


async def issue_token(tenant: Tenant, request: Request, body: Any) -> Any:
    """
    The token that the Azure CLI would have for Graph.

    With `scopes`, for these scopes instead of the CLI's own. With `scope`, for one of the tenant's
    own apps, or a refusal with Entra's sentence.
    """
    only(body, "name", "roles", "scopes", "scope")
    if "scope" in body:
        return {"accessToken": _own_token(tenant, body), "tenant": tenant.tenant_id}
    scopes = body.get("scopes", AZURE_CLI_SCOPES)
    if not isinstance(scopes, list | tuple):
        raise ValueError("scopes is a list")
    token = tokens.issue_to_person(
        tenant, _person(body), AZURE_CLI, tenant.urls.graph, map(str, scopes)
    )
    expires = tenant.login_time() + tokens.LIFETIME
    return {"accessToken": token, "expiresOn": int(expires.timestamp()), "tenant": tenant.tenant_id}


def _own_token(tenant: Tenant, body: Mapping[str, Any]) -> str:
    try:
        app = own_tokens.resource(tenant, str(body["scope"]), AZURE_CLI)
        if app is None:
            raise Aadsts(500011, f"The resource principal named {body['scope']} was not found.")
        return own_tokens.issue(tenant, _person(body), AZURE_CLI, app)
    except Aadsts as error:
        raise ValueError(f"AADSTS{error.code}: {error}") from error


async def sign_in(tenant: Tenant, request: Request, body: Any) -> Any:
    """Enter a code of the device flow, and sign in or decline."""
    only(body, "userCode", "name", "roles", "decline")
    code = next(
        (one for one in tenant.device_codes.values() if one.user_code == body.get("userCode")), None
    )
    if code is None:
        raise ValueError("no such userCode")
    if body.get("decline"):
        code.declined = True
    else:
        code.person = _person(body)
    return {"clientId": code.client_id, "scopes": list(code.scopes)}


def _person(body: Mapping[str, Any]) -> Person:
    roles = frozenset(map(str, body.get("roles", ())))
    if unknown := roles - set(TEMPLATES):
        raise ValueError(f"no such directory role: {', '.join(sorted(unknown))}")
    return Person(str(body.get("name", "admin@contoso.com")), roles)


TABLE = (("POST", "/admin-token", issue_token), ("POST", "/sign-in", sign_in))
