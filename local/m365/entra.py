"""The login host: OpenID discovery, signing keys, tokens for apps; and App Service's identity."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Mapping
from urllib.parse import parse_qs

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365 import assertions, tokens
from local.m365.tenant import App, Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Entra's error names and statuses by AADSTS number, and 401 invalid_client for all others.
# Documented: Entra's list of AADSTS codes; the statuses are those seen in public issues (I).
_KINDS = {
    90002: (400, "invalid_request"),
    90014: (400, "invalid_request"),
    70003: (400, "unsupported_grant_type"),
    700016: (400, "unauthorized_client"),
    1002012: (400, "invalid_scope"),
    500011: (400, "invalid_resource"),
}


class Aadsts(Exception):
    """A refusal by the token endpoint."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def routes(tenant: Tenant) -> list[Route]:
    """The login host."""

    async def discovery(request: Request) -> Response:
        try:
            _check_tenant(tenant, request.path_params["tenant"])
        except Aadsts as error:
            return _refusal(tenant, error)
        return JSONResponse(_discovery(tenant))

    async def keys(request: Request) -> Response:
        public = tenant.signing_key.public_key()
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public))
        return JSONResponse({"keys": [{**key, "kid": "local", "use": "sig"}]})

    async def token(request: Request) -> Response:
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        try:
            _check_tenant(tenant, request.path_params["tenant"])
            answer = _client_credentials(tenant, form)
        except Aadsts as error:
            return _refusal(tenant, error)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", discovery),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
    ]


def identity_routes(tenant: Tenant) -> list[Route]:
    """
    App Service's token endpoint for managed identities, at `/msi/token`.

    Documented (App Service, REST endpoint reference of managed identities): GET with `resource`,
        `api-version=2019-08-01`, `client_id` for a user-assigned identity, and the secret of
        IDENTITY_HEADER as X-IDENTITY-HEADER; `expires_on` is Unix time as text.
    Assumed: 401 for a wrong header, 400 for the rest; the bodies.
    """

    async def token(request: Request) -> Response:
        sent = request.headers.get("X-IDENTITY-HEADER", "")
        if not tenant.identity_header or not hmac.compare_digest(
            sent.encode(), tenant.identity_header.encode()
        ):
            return _identity_refusal(401, "The X-IDENTITY-HEADER is not the one of this app.")
        if request.query_params.get("api-version") != "2019-08-01":
            return _identity_refusal(400, "The api-version is not 2019-08-01.")
        app = _identity(tenant, request.query_params.get("client_id"))
        if app is None:
            return _identity_refusal(400, "No User Assigned or Delegated Managed Identity found.")
        resource = request.query_params.get("resource", "").rstrip("/")
        if resource not in _resources(tenant):
            return _identity_refusal(500, f"AADSTS500011: {resource!r} was not found.")
        return JSONResponse(
            {
                "access_token": tokens.issue(tenant, app, resource),
                "expires_on": str(int((tenant.login_time() + tokens.LIFETIME).timestamp())),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": app.client_id,
            }
        )

    return [Route("/msi/token", token)]


def _client_credentials(tenant: Tenant, form: Mapping[str, str]) -> dict[str, object]:
    """Answer a client-credentials request, or raise Aadsts."""
    if form.get("grant_type") != "client_credentials":
        raise Aadsts(70003, "The app requested an unsupported grant type.")
    app = tenant.apps.get(form.get("client_id", "").lower())
    if app is None or app.managed_identity:
        raise Aadsts(700016, "Application was not found in the directory 'contoso'.")
    by = _prove(tenant, app, form)
    audience = _audience(form.get("scope", ""))
    if audience not in _resources(tenant):
        raise Aadsts(500011, f"The resource principal named {audience} was not found.")
    return {
        "token_type": "Bearer",
        "expires_in": int(tokens.LIFETIME.total_seconds()),
        "ext_expires_in": int(tokens.LIFETIME.total_seconds()),
        "access_token": tokens.issue(tenant, app, audience, by=by),
    }


def _audience(scope: str) -> str:
    """
    The resource that *scope* names.

    Documented (Entra, client credentials flow): the scope is one resource with the suffix
        `/.default`. Reported: anything else is AADSTS1002012, one more scope beside it too.
        facts/sharepoint.md section 3: one token per host.
    """
    audience = scope.removesuffix("/.default")
    if audience == scope or scope.split() != [scope]:
        raise Aadsts(1002012, "The provided value for scope is not valid: it ends in /.default.")
    return audience


def _prove(tenant: Tenant, app: App, form: Mapping[str, str]) -> str:
    """How the client proved itself, as `appidacr` says it; Aadsts if it did not."""
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Aadsts(90014, "The required field 'client_assertion_type' is missing or wrong.")
        endpoint = f"{tenant.urls.login}/{tenant.tenant_id}/oauth2/v2.0/token"
        try:
            assertions.verify(tenant, app, form["client_assertion"], audience=endpoint)
        except assertions.Rejected as error:
            raise Aadsts(error.code, str(error)) from error
        return tokens.BY_CERTIFICATE
    if "client_secret" not in form:
        raise Aadsts(7000216, "'client_assertion' or 'client_secret' is required.")
    if not app.secret or not hmac.compare_digest(
        form["client_secret"].encode(), app.secret.encode()
    ):
        raise Aadsts(7000215, "Invalid client secret provided.")
    return tokens.BY_SECRET


def _check_tenant(tenant: Tenant, named: str) -> None:
    names = {tenant.tenant_id, tenant.domain, f"{tenant.name}.onmicrosoft.com"}
    if named.lower() not in names:
        raise Aadsts(90002, f"Tenant '{named}' not found.")


def _resources(tenant: Tenant) -> set[str]:
    urls = tenant.urls
    return {urls.graph, urls.my, urls.admin, urls.root}


def _identity(tenant: Tenant, client_id: str | None) -> App | None:
    identities = [app for app in tenant.apps.values() if app.managed_identity]
    if client_id is None:
        return identities[0] if identities else None
    return next((app for app in identities if app.client_id == client_id.lower()), None)


def _discovery(tenant: Tenant) -> dict[str, object]:
    base = f"{tenant.urls.login}/{tenant.tenant_id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "tenant_region_scope": "EU",
    }


def _refusal(tenant: Tenant, error: Aadsts) -> Response:
    """
    The error body of Entra.

    Documented (Entra, handling error codes): these members, and the AADSTS number in the text.
    """
    status, name = _KINDS.get(error.code, (401, "invalid_client"))
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    timestamp = f"{tenant.now():%Y-%m-%d %H:%M:%SZ}"
    body = {
        "error": name,
        "error_description": f"AADSTS{error.code}: {error} Trace ID: {trace}"
        f" Correlation ID: {correlation} Timestamp: {timestamp}",
        "error_codes": [error.code],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{tenant.urls.login}/error?code={error.code}",
    }
    return JSONResponse(body, status)


def _identity_refusal(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status)
