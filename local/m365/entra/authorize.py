"""
The sign-in page, where a person who comes from an app enters a name and a role in that app.

Documented (Entra, OpenID Connect on the identity platform): the query of the request, and that with
`form_post` the browser posts the answer to the app.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.m365.entra import id_tokens
from local.m365.entra.aadsts import Aadsts
from local.m365.tenant.tenant import Tenant

# The roles of the console's registration, as `manage.py grant --console` creates it.
ROLES = ("Viewer", "Operator")

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title></head>
<body><main><h1>Sign in to {domain} (invented)</h1><form method="post">
<p><label>Name <input name="name" required value="anne@{domain}"></label></p>
<p><label>Role <select name="role"><option value="">none</option>{roles}</select></label></p>
<p><button>Sign in</button></p></form></main></body></html>"""
_POSTED = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Working</title></head>
<body onload="document.forms[0].submit()"><form method="post" action="{action}">{fields}
<noscript><button>Continue</button></noscript></form></body></html>"""


def route(tenant: Tenant) -> Route:
    """The page and its form."""

    async def authorize(request: Request) -> Response:
        query = dict(request.query_params)
        try:
            _check(tenant, request.path_params["tenant"], query)
        except Aadsts as error:
            # Documented: an error in a request that cannot be trusted is shown to the person and
            # not sent to the app.
            return HTMLResponse(html.escape(f"AADSTS{error.code}: {error}"), 400)
        if request.method == "GET":
            options = "".join(f"<option>{role}</option>" for role in ROLES)
            return HTMLResponse(_PAGE.format(domain=tenant.domain, roles=options))
        form = parse_qs((await request.body()).decode())
        name, role = (form.get(field, [""])[0] for field in ("name", "role"))
        roles = [role] if role in ROLES else []
        token = id_tokens.issue(
            tenant, name, query["client_id"].lower(), nonce=query["nonce"], roles=roles
        )
        return HTMLResponse(_form(query, token))

    return Route("/{tenant}/oauth2/v2.0/authorize", authorize, methods=["GET", "POST"])


def _check(tenant: Tenant, named: str, query: Mapping[str, str]) -> None:
    """
    Raise Aadsts for a request for which Entra would show no sign-in page.

    Documented (Entra's list of AADSTS codes): 90002, 700016, 50011, 700054 if ID tokens are not
    enabled, and 90014 for a missing field, including `nonce`. Assumed: anything except an ID token
    by form_post is refused here, since nothing else is simulated.
    """
    if named.lower() != tenant.tenant_id:
        raise Aadsts(90002, f"Tenant '{named}' not found.")
    app = tenant.apps.get(query.get("client_id", "").lower())
    if app is None or not app.has_principal:
        raise Aadsts(700016, "Application was not found in the directory 'contoso'.")
    web = app.settings.get("web", {})
    if query.get("redirect_uri", "") not in web.get("redirectUris", ()):
        raise Aadsts(50011, "The redirect URI does not match those of the application.")
    if query.get("response_type") != "id_token" or query.get("response_mode") != "form_post":
        raise Aadsts(700054, "The simulator supports only response_type id_token by form_post.")
    if not web.get("implicitGrantSettings", {}).get("enableIdTokenIssuance"):
        raise Aadsts(700054, "response_type 'id_token' is not enabled for the application.")
    for name in ("nonce", "scope"):
        if not query.get(name):
            raise Aadsts(90014, f"The required field '{name}' is missing.")


def _form(query: Mapping[str, str], token: str) -> str:
    sent = {"id_token": token, "state": query.get("state", "")}
    fields = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
        for name, value in sent.items()
    )
    return _POSTED.format(action=html.escape(query["redirect_uri"]), fields=fields)
