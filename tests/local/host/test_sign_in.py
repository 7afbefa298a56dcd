"""The host as App Service authentication: whose tokens it takes, and what reaches the app."""

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
from local.host.sign_in.front import Front
from local.host.sign_in.principal import headers_of
from local.host.sign_in.tokens import BadToken, Tokens
from local.m365.entra import tokens
from local.m365.tenant.admins import AZURE_CLI, Person
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
    """Takes one token, that of Anne."""

    def __init__(self) -> None:
        super().__init__("https://login", None)

    def read(self, token: str, audiences: Any) -> dict[str, Any]:
        if token != "anne":
            raise BadToken("not ours")
        return {"oid": "1", "preferred_username": "anne@contoso.com", "roles": ["Viewer"]}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the headers that reach it."""
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
    front = Front(app, SETTINGS, Known(), "https://localhost")
    asyncio.run(Kestrel(front)(scope, receive, send))
    body = sent[1]["body"]
    return sent[0]["status"], json.loads(body) if body else {}


def test_token_becomes_a_principal_and_nothing_of_the_client_remains():
    """What a client calls itself never reaches the app where the platform checks."""
    status, headers = ask("/api/console/me", {"authorization": "Bearer anne", **FORGED})
    told = json.loads(base64.b64decode(headers["x-ms-client-principal"]))

    assert status == 200
    assert {"typ": "roles", "val": "Viewer"} in told["claims"]
    assert headers["x-ms-client-principal-name"] == "anne@contoso.com"
    assert "x-ms-token-aad-id-token" not in headers


def test_wrong_token_is_nobody():
    """It is refused at once, whatever else is sent."""
    assert ask("/api/console/me", {"authorization": "Bearer other"})[0] == 401


@pytest.mark.parametrize("path", ["/api/keyed", "/API/keyed/me"])
def test_excluded_path_is_let_through_as_it_is(path: str):
    """The worst that may be, since nobody documents it: the client's own principal arrives."""
    status, headers = ask(path, FORGED)

    assert (status, headers["x-ms-client-principal"]) == (200, "forged")


@pytest.mark.parametrize("detour", ["..", "%2e%2E"])
def test_excluded_path_is_no_way_to_another(detour: str):
    """The server takes the dots away before anybody asks what is excluded."""
    headers = {"authorization": "Bearer other", **FORGED}

    assert ask(f"/api/keyed/{detour}/console/me", headers)[0] == 401


def test_name_of_any_language():
    """The principal's headers are UTF-8: a server would take no other."""
    told = dict(headers_of({"preferred_username": "jürgen@contoso.com"}))

    assert told[b"x-ms-client-principal-name"].decode("utf-8") == "jürgen@contoso.com"


@pytest.fixture
def entra(m365: Cloud) -> Tokens:
    issuer = f"{m365.tenant.urls.login}/{TENANT_ID}/v2.0"
    return Tokens(issuer, m365.certificates.ca)


def test_token_of_the_login_host(m365: Cloud, entra: Tokens):
    """One for the console is taken, by its id and by its address; one for Graph is not."""

    def given(audience: str) -> str:
        anne = Person("anne@contoso.com")
        return tokens.issue_to_person(
            m365.tenant, anne, AZURE_CLI, audience, ["user_impersonation"]
        )

    for audience in SETTINGS.audiences:
        assert entra.read(given(audience), SETTINGS.audiences)["upn"] == "anne@contoso.com"
    with pytest.raises(BadToken, match="[Aa]udience"):
        entra.read(given(m365.tenant.urls.graph), SETTINGS.audiences)


def test_token_that_is_over_or_signed_by_another(m365: Cloud, entra: Tokens):
    """The time in the token counts, and so does the key."""
    now = m365.tenant.login_time()
    claims = {"aud": CONSOLE, "iss": f"{m365.tenant.urls.login}/{TENANT_ID}/v2.0"}
    over = {**claims, "exp": int((now - timedelta(minutes=1)).timestamp())}
    lasting = {**claims, "exp": int((now + timedelta(minutes=1)).timestamp())}
    own = m365.tenant.signing_key

    def signed(content: Mapping[str, Any], key: Any, algorithm: str) -> str:
        return jwt.encode(dict(content), key, algorithm=algorithm, headers={"kid": "local"})

    assert entra.read(signed(lasting, own, "RS256"), [CONSOLE])
    for token in (
        signed(over, own, "RS256"),
        signed({**lasting, "iss": "https://login.example"}, own, "RS256"),
        signed(lasting, "a secret of whoever forges, long enough", "HS256"),
        signed(lasting, None, "none"),
    ):
        with pytest.raises(BadToken):
            entra.read(token, [CONSOLE])


def test_file_that_asks_for_what_is_not_played(tmp_path: Path):
    """As host.json: what this host would do otherwise than Azure, it refuses."""
    file = tmp_path / "auth.json"
    content = auth_settings(AT)
    file.write_text(json.dumps(content))
    assert auth_file.load(file).client_id == AT.console_client_id

    content["globalValidation"]["unauthenticatedClientAction"] = "AllowAnonymous"
    for text in (json.dumps(content), "{}", "{"):
        file.write_text(text)
        with pytest.raises(Refused):
            auth_file.load(file)
