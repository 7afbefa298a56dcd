"""App Service authentication in the host: the tokens that it accepts, and what reaches the app."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from local.cloud.auth_settings import auth_settings
from local.host.kestrel import Kestrel
from local.host.refusal import Refused
from local.host.sign_in import auth_file
from local.host.sign_in.auth_file import AuthSettings
from local.host.sign_in.middleware import SignInMiddleware
from local.host.sign_in.principal import headers_of
from local.host.sign_in.tokens import BadToken, Tokens
from local.m365.entra import tokens
from tests.local.bench.test_graph_poster import AT
from tests.local.m365.simulator import TENANT_ID, Cloud

CONSOLE = "3c1a9a3e-6f0e-4a60-9d51-1f5e0b3ad010"
SETTINGS = AuthSettings(
    CONSOLE,
    "https://login",
    frozenset({CONSOLE, f"api://{CONSOLE}"}),
    ("/api/keyed", "/api/keyed/*"),
)
FORGED = {"x-ms-client-principal": "forged", "x-ms-token-aad-id-token": "forged"}


class Known(Tokens):
    """Accepts one token, that of Anne."""

    def __init__(self) -> None:
        super().__init__("https://login", None)

    def read(self, token: str, audiences: Any) -> dict[str, Any]:
        if token != "anne":
            raise BadToken("not ours")
        return {"oid": "1", "preferred_username": "anne@contoso.com", "roles": ["Viewer"]}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the headers that it got."""
    await JSONResponse(dict(Request(scope).headers))(scope, receive, send)


def ask(path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    target = {"raw_path": path.encode(), "query_string": b""}
    scope = {"type": "http", "method": "GET", "headers": raw, **target}
    front = SignInMiddleware(app, SETTINGS, Known(), "https://localhost")
    asyncio.run(Kestrel(front)(scope, receive, send))
    body = sent[1]["body"]
    return sent[0]["status"], json.loads(body) if body else {}


def test_token_becomes_a_principal_and_client_headers_are_removed():
    """A client's own principal headers never reach the app on a path that is checked."""
    status, headers = ask("/api/console/me", {"authorization": "Bearer anne", **FORGED})
    principal = json.loads(base64.b64decode(headers["x-ms-client-principal"]))

    assert status == 200
    assert {"typ": "roles", "val": "Viewer"} in principal["claims"]
    assert headers["x-ms-client-principal-name"] == "anne@contoso.com"
    assert "x-ms-token-aad-id-token" not in headers


@pytest.mark.parametrize("path", ["/api/keyed", "/API/keyed/me"])
def test_excluded_path_is_let_through_as_it_is(path: str):
    """Undocumented, so the worst case: the client's own principal arrives unchanged."""
    status, headers = ask(path, FORGED)

    assert (status, headers["x-ms-client-principal"]) == (200, "forged")


@pytest.mark.parametrize("path", ["", "/api/keyed/..", "/api/keyed/%2e%2E"])
def test_wrong_token_is_refused(path: str):
    """Dot segments are removed before the path is compared with the excluded ones."""
    headers = {"authorization": "Bearer other", **FORGED}

    assert ask(f"{path or '/api'}/console/me", headers)[0] == 401


def test_principal_headers_are_utf_8():
    """Kestrel refuses headers in any other encoding."""
    headers = dict(headers_of({"preferred_username": "jürgen@contoso.com"}))

    assert headers[b"x-ms-client-principal-name"].decode("utf-8") == "jürgen@contoso.com"


@pytest.fixture
def entra(m365: Cloud) -> Tokens:
    issuer = f"{m365.tenant.urls.login}/{TENANT_ID}/v2.0"
    return Tokens(issuer, m365.certificates.ca)


def test_token_of_the_login_host(m365: Cloud, entra: Tokens):
    """A token for the console's id or URI is accepted, one for Graph is not."""

    def given(audience: str) -> str:
        issuer = f"{m365.tenant.urls.login}/{TENANT_ID}/v2.0"
        return tokens.signed(m365.tenant, audience, {"iss": issuer, "upn": "anne@contoso.com"})

    for audience in SETTINGS.audiences:
        assert entra.read(given(audience), SETTINGS.audiences)["upn"] == "anne@contoso.com"
    with pytest.raises(BadToken, match="[Aa]udience"):
        entra.read(given(m365.tenant.urls.graph), SETTINGS.audiences)


def test_expired_and_forged_tokens(m365: Cloud, entra: Tokens):
    """Expiry, issuer, key and algorithm are checked."""
    now = m365.tenant.login_time()
    claims = {"aud": CONSOLE, "iss": f"{m365.tenant.urls.login}/{TENANT_ID}/v2.0"}
    expired = {**claims, "exp": int((now - timedelta(minutes=1)).timestamp())}
    valid = {**claims, "exp": int((now + timedelta(minutes=1)).timestamp())}
    own = m365.tenant.signing_key

    def signed(content: Mapping[str, Any], key: Any, algorithm: str) -> str:
        return jwt.encode(dict(content), key, algorithm=algorithm, headers={"kid": "local"})

    assert entra.read(signed(valid, own, "RS256"), [CONSOLE])
    for token in (
        signed(expired, own, "RS256"),
        signed({**valid, "iss": "https://login.example"}, own, "RS256"),
        signed(valid, "a secret that is long enough for HS256", "HS256"),
        signed(valid, None, "none"),
    ):
        with pytest.raises(BadToken):
            entra.read(token, [CONSOLE])


def test_unsupported_auth_file_is_refused(tmp_path: Path):
    """The host refuses a configuration that it cannot simulate, as with host.json."""
    file = tmp_path / "auth.json"
    content = auth_settings(AT)
    file.write_text(json.dumps(content))
    assert auth_file.load(file).client_id == AT.console_client_id

    content["globalValidation"]["unauthenticatedClientAction"] = "AllowAnonymous"
    for text in (json.dumps(content), "{}", "{"):
        file.write_text(text)
        with pytest.raises(Refused):
            auth_file.load(file)
