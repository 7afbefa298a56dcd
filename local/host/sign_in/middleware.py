"""
Simulates App Service authentication, which checks every request before the app gets it.

Each rule names its source; docs/facts/functions.md, section "Sign-in", has all of them. Where the
documentation is silent, the rule is the worst case for the app: for example, on an excluded path a
client's own principal header arrives as sent. Without a token store, as in our deployment, there is
no `/.auth/me`.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.host.sign_in import principal
from local.host.sign_in.auth_file import AuthSettings
from local.host.sign_in.tokens import BadToken, Tokens

COOKIE = "AppServiceAuthSession"
LOGIN, CALLBACK = "/.auth/login/aad", "/.auth/login/aad/callback"
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass
class _Visits:
    """The people signed in, by cookie, and those at the login page, by state."""

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    begun: dict[str, tuple[str, str]] = field(default_factory=dict)  # nonce, next address


class SignInMiddleware:
    """The ASGI application in front of *app*, which has the base URL *url*."""

    def __init__(self, app: ASGIApp, settings: AuthSettings, tokens: Tokens, url: str) -> None:
        self._app = app
        self._settings = settings
        self._tokens = tokens
        self._url = url
        self._visits = _Visits()
        self._own: dict[str, Callable[[Request], Awaitable[Response]]] = {
            LOGIN: self._login,
            CALLBACK: self._callback,
            "/.auth/logout": self._logout,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_excluded(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        person: dict[str, Any] = {}
        try:
            person = await self._person(request)
            response = await self._own_response(request, person)
        except BadToken:
            response = Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        if response is None:
            await self._app({**scope, "headers": _headers(scope, person)}, receive, send)
        else:
            await response(scope, receive, send)

    async def _own_response(self, request: Request, person: dict[str, Any]) -> Response | None:
        """The response of App Service itself; None if the request goes on to the app."""
        path = request.url.path
        if path.lower().startswith("/.auth/"):
            own = self._own.get(path.lower())
            return await own(request) if own else Response(status_code=404)
        if not person:
            return await self._to_login(path)
        if _is_form_of_another_page(request, self._url):
            return Response(status_code=403)
        return None

    def _is_excluded(self, path: str) -> bool:
        """
        Whether a path needs no sign-in.

        Documented: `excludedPaths` lets requests through unauthenticated. Reported
        (MicrosoftDocs/azure-docs#86514): `/*` includes everything below. Assumed: nothing else
        does, and case does not matter.
        """
        path = path.lower()
        excluded = [each.lower() for each in self._settings.excluded_paths]
        prefixes = tuple(each.removesuffix("*") for each in excluded if each.endswith("/*"))
        return path in excluded or path.startswith(prefixes)

    async def _person(self, request: Request) -> dict[str, Any]:
        """
        The claims of the caller, empty if not signed in. Assumed: a token takes precedence over the
        cookie.

        Raises BadToken.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await asyncio.to_thread(
                self._tokens.read, token.strip(), self._settings.audiences
            )
        return self._visits.sessions.get(request.cookies.get(COOKIE, ""), {})

    async def _to_login(self, after: str) -> Response:
        """
        Send a browser to the login page, and then on to *after*.

        Documented: without a client secret the flow is the implicit one, which returns only an ID
        token (Learn, configure-authentication-provider-aad); it is posted, as with `form_post`.
        """
        state, nonce = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self._visits.begun[state] = nonce, after
        query = {
            "response_type": "id_token",
            "response_mode": "form_post",
            "client_id": self._settings.client_id,
            "redirect_uri": self._url + CALLBACK,
            "scope": "openid profile email",
            "nonce": nonce,
            "state": state,
        }
        endpoint = await asyncio.to_thread(lambda: self._tokens.authorization_endpoint)
        return RedirectResponse(f"{endpoint}?{urlencode(query)}", 302)

    async def _login(self, request: Request) -> Response:
        """
        Documented (customize sign-in): `post_login_redirect_uri`; to other hosts only if allowed.
        """
        after = request.query_params.get("post_login_redirect_uri", "/")
        return await self._to_login(after if _is_path(after) else "/")

    async def _callback(self, request: Request) -> Response:
        sent = parse_qs((await request.body()).decode())
        given = {name: values[0] for name, values in sent.items()}
        nonce, after = self._visits.begun.pop(given.get("state", ""), ("", ""))
        try:
            audience = [self._settings.client_id]
            claims = await asyncio.to_thread(self._tokens.read, given.get("id_token", ""), audience)
        except BadToken as error:
            return PlainTextResponse(given.get("error_description", str(error)), 401)
        if not nonce or claims.get("nonce") != nonce:
            return PlainTextResponse("This sign-in did not start here.", 401)
        session = secrets.token_urlsafe(32)
        self._visits.sessions[session] = claims
        response = RedirectResponse(after, 302)
        # Not documented: SameSite. The browser's own default is the least strict that works here.
        response.headers["Set-Cookie"] = f"{COOKIE}={session}; Path=/; Secure; HttpOnly"
        return response

    async def _logout(self, request: Request) -> Response:
        """Documented (customize sign-in): the session ends, then `post_logout_redirect_uri`."""
        self._visits.sessions.pop(request.cookies.get(COOKIE, ""), None)
        after = request.query_params.get("post_logout_redirect_uri", "")
        response = RedirectResponse(after, 302) if _is_path(after) else _signed_out()
        response.delete_cookie(COOKIE)
        return response


def _headers(scope: Scope, person: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """Documented: requests from outside cannot set these headers; only App Service does."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    for name in headers.keys():
        if name.lower().startswith(principal.PREFIXES):
            del headers[name]
    return [*headers.raw, *principal.headers_of(person)]


def _is_form_of_another_page(request: Request, own: str) -> bool:
    """
    Whether a browser's write comes from another page.

    Reported (Azure/azure-functions-host#1602): a writing request by cookie from a browser is 403
    unless it says that it comes from a page of this app.
    """
    browser = request.headers.get("user-agent", "").startswith("Mozilla/")
    if request.method in _SAFE or not browser or "authorization" in request.headers:
        return False
    pages = (request.headers.get(name, "") for name in ("origin", "referer"))
    return own not in {"{0.scheme}://{0.netloc}".format(urlsplit(page)) for page in pages}


def _is_path(address: str) -> bool:
    return address.startswith("/") and not address.startswith(("//", "/\\"))


def _signed_out() -> Response:
    return PlainTextResponse("You have been signed out.")
