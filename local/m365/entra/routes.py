"""The login host: OpenID discovery, signing keys, tokens for apps; and App Service's identity."""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import parse_qs

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.entra import assertions, authorize, device_codes, tokens
from local.m365.entra.aadsts import Aadsts, refusal
from local.m365.tenant.records import App
from local.m365.tenant.tenant import Tenant

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Documented: for people who sign in without naming their tenant.
_FOR_PEOPLE = ("organizations", "common")


def routes(tenant: Tenant) -> list[Route]:
    """The login host."""

    async def keys(request: Request) -> Response:
        public = tenant.signing_key.public_key()
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(public))
        return JSONResponse({"keys": [{**key, "kid": "local", "use": "sig"}]})

    async def token(request: Request) -> Response:
        form = await _form(request)
        for_people = form.get("grant_type") == device_codes.GRANT
        try:
            also = _FOR_PEOPLE if for_people else ()
            _check_tenant(tenant, request.path_params["tenant"], *also)
            exchange = device_codes.exchange if for_people else _client_credentials
            answer = exchange(tenant, form)
        except Aadsts as error:
            return refusal(tenant, error)
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def device_code(request: Request) -> Response:
        try:
            _check_tenant(tenant, request.path_params["tenant"], *_FOR_PEOPLE)
            return JSONResponse(device_codes.begin(tenant, await _form(request)))
        except Aadsts as error:
            return refusal(tenant, error)

    return [
        Route("/{tenant}/v2.0/.well-known/openid-configuration", _discovers(tenant)),
        Route(
            "/{tenant}/.well-known/openid-configuration",
            _discovers(tenant, issuer=tokens.issuer(tenant)),
        ),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/oauth2/v2.0/token", token, methods=["POST"]),
        Route("/{tenant}/oauth2/v2.0/devicecode", device_code, methods=["POST"]),
        authorize.route(tenant),
    ]


def _discovers(tenant: Tenant, **differs: object) -> Callable[[Request], Awaitable[Response]]:
    """Documented: version 1 has its own document, with another issuer."""

    async def discovery(request: Request) -> Response:
        try:
            _check_tenant(tenant, request.path_params["tenant"], *_FOR_PEOPLE)
        except Aadsts as error:
            return refusal(tenant, error)
        return JSONResponse({**_discovery(tenant), **differs})

    return discovery


async def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


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
    by = _authenticate(tenant, app, form)
    if not app.has_principal:
        # Documented (AADSTS7000229).
        text = f"The client application {app.client_id} is missing service principal in the tenant"
        raise Aadsts(7000229, f"{text} {tenant.tenant_id}.")
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
        `/.default`. Reported: anything else is AADSTS1002012, including a second scope.
        facts/sharepoint.md section 3: one token per host.
    """
    audience = scope.removesuffix("/.default")
    if audience == scope or scope.split() != [scope]:
        raise Aadsts(1002012, "The provided value for scope is not valid: it ends in /.default.")
    return audience


def _authenticate(tenant: Tenant, app: App, form: Mapping[str, str]) -> str:
    """How the client authenticated, as in `appidacr`. Raises Aadsts if it did not."""
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise Aadsts(90014, "The required field 'client_assertion_type' is missing or wrong.")
        # Documented (certificate credentials): `{tenant}` may be its id or one of its domains.
        endpoints = [
            f"{login}/{name}/oauth2/v2.0/token"
            for login in tenant.login_urls
            for name in tenant.names
        ]
        try:
            assertions.verify(tenant, app, form["client_assertion"], audiences=endpoints)
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


def _check_tenant(tenant: Tenant, named: str, *also: str) -> None:
    if named.lower() not in (*tenant.names, *also):
        raise Aadsts(90002, f"Tenant '{named}' not found.")


def _resources(tenant: Tenant) -> set[str]:
    """
    The audiences that Entra issues tokens for.

    Documented: each is in the tenant (AADSTS500011). Assumed: SharePoint's hosts are those of the
    tenant's geographies, after a renaming only the new ones.
    """
    satellites = (
        tenant.host_url(geo, kind) for geo in tenant.satellites.values() for kind in ("my", "admin")
    )
    return {tenant.urls.graph, tenant.urls.my, tenant.urls.admin, tenant.urls.root, *satellites}


def _identity(tenant: Tenant, client_id: str | None) -> App | None:
    identities = [app for app in tenant.apps.values() if app.managed_identity]
    if client_id is None:
        return identities[0] if identities else None
    return next((app for app in identities if app.client_id == client_id.lower()), None)


def _discovery(tenant: Tenant) -> dict[str, object]:
    base = f"{tenant.urls.login}/{tenant.tenant_id}"
    return {
        "token_endpoint": f"{base}/oauth2/v2.0/token",
        "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "jwks_uri": f"{base}/discovery/v2.0/keys",
        "response_types_supported": ["code", "id_token"],
        "response_modes_supported": ["form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "issuer": f"{base}/v2.0",
        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
        "tenant_region_scope": "EU",
    }


def _identity_refusal(status: int, message: str) -> Response:
    return JSONResponse({"statusCode": status, "message": message}, status)
