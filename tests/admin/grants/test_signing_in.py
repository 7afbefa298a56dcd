"""
The terminal without a key signs in to the registration that `grant --console` created.

A double of App Service and the app answers unknown callers as documented and reported for the
platform, and checks tokens with Entra's own key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest

from admin.console.account import Account
from admin.console.sign_in import SignIn
from admin.program import main
from local.m365.tenant.tenant import Tenant
from shared.version import HEADER, VERSION
from tests.admin.command_result import CommandResult, assert_one_sentence, assert_printed
from tests.admin.console.console_double import (
    KEY,
    Answer,
    Asked,
    ConsoleDouble,
    refusal,
    serving,
)
from tests.admin.grants.conftest import Grant, environment, somebody_signs_in
from tests.doubles.console_answers import overview
from tests.local.m365.simulator import TENANT_ID, Cloud

ANNE = "anne@contoso.com"
APP = "https://photosync-abc.azurewebsites.net"
OTHER = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0ff"


@dataclass
class SignedInDouble(ConsoleDouble):
    """An app behind App Service authentication; *asks* is its answer without a sign-in."""

    tenant: Tenant | None = None
    client_id: str = ""
    asks: str = "redirect"
    keyed: str = "open"  # else "closed", as infra has it without keys, or "gone" from the app
    passed: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        self.headers = {HEADER: VERSION}
        below, _, path = asked.path.removeprefix("/api/").partition("/")
        if below == "keyed":
            if self.keyed != "open":
                self.asked.append(asked)
                return (404, b"") if self.keyed == "gone" else self._away()
            inner = Asked(
                asked.method, f"/api/console/{path}", asked.query, asked.headers, asked.body
            )
            return super().answer(inner)
        self.asked.append(asked)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return self._away()
        assert self.tenant
        key = self.tenant.signing_key.public_key()
        issuer = f"{self.tenant.urls.login}/{TENANT_ID}/v2.0"
        claims = jwt.decode(token, key, ["RS256"], audience=self.client_id, issuer=issuer)
        self.passed.append(claims)
        route = self.routes[asked.method, path]
        return route(asked) if callable(route) else route

    def _away(self) -> Answer:
        assert self.tenant
        login = f"{self.tenant.urls.login}/{TENANT_ID}/oauth2/v2.0/authorize"
        match self.asks:
            case "redirect":
                query = f"response_type=id_token&client_id={self.client_id}&scope=openid"
                self.headers = {"Location": f"{login}?{query}"}
                return 302, b""
            case "header":
                header = f'Bearer realm="app" authorization_uri="{login}" resource_id="{{}}"'
                self.headers = {"WWW-Authenticate": header.format(self.client_id)}
                return 401, b""
            case "silently":
                self.headers = {"Location": "/.auth/login/aad?post_login_redirect_uri=/"}
                return 302, b""
            case _:
                return 403, b"You do not have permission to view this directory or page."


@pytest.fixture
def client_id(tenant: Cloud, grant: Grant) -> str:
    """The client id of a registration in which Anne is a Viewer."""
    tenant.add_user("anne")
    result = grant("--console", "--url", APP, "--viewer", ANNE, "--yes", "--json")
    assert result.code == 0
    return str(result.document["identity"]["clientId"])


@pytest.fixture
def app(tenant: Cloud, client_id: str) -> Iterator[SignedInDouble]:
    double = SignedInDouble(
        routes={("GET", "overview"): (200, overview())}, tenant=tenant.tenant, client_id=client_id
    )
    with serving(double):
        yield double


Manage = Callable[..., CommandResult]


@pytest.fixture
def manage(tenant, app, az, monkeypatch, capsys) -> Manage:
    """Run a command in a terminal where Anne is signed in to the Azure CLI, and no key is set."""
    for name in ("PHOTOSYNC_KEY", "PHOTOSYNC_CLIENT_ID", "PHOTOSYNC_TENANT_ID", "M365_CLOUD"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **changes: str) -> CommandResult:
        own = {"PHOTOSYNC_URL": app.url, "AZ_NAME": ANNE}
        for name, value in (environment(tenant, az) | own | changes).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        result = CommandResult(main(arguments), *capsys.readouterr())
        assert "eyJ" not in result.out + result.err, "a token is shown"
        return result

    return run


def test_the_azure_cli_signs_in(manage: Manage, app: SignedInDouble, client_id: str):
    """With the client id no question is needed: the CLI's account has a role."""
    assert_printed(manage("status", PHOTOSYNC_CLIENT_ID=client_id), 0, err="")
    [claims] = app.passed
    assert (claims["preferred_username"], claims["roles"]) == (ANNE, ["Viewer"])
    assert len(app.asked) == 1


@pytest.mark.parametrize("mode", ["logged-out", "none"])
def test_code_without_the_cli(manage, tenant, app, client_id, mode, tmp_path):
    """If the CLI is missing or not signed in, a code is used."""
    path = {"PATH": str(tmp_path)} if mode == "none" else {}
    with somebody_signs_in(tenant, name=ANNE):
        result = manage("status", PHOTOSYNC_CLIENT_ID=client_id, AZ_MODE=mode, **path)

    assert result.code == 0
    assert "enter the code" in result.err
    assert [one["azp"] for one in app.passed] == [client_id]


@pytest.mark.parametrize("asks", ["redirect", "header"])
def test_the_app_says_where_to_sign_in(manage, tenant, app, client_id, asks):
    """Without a client id the app's answer names it; then a person must enter a code."""
    app.asks = asks
    with somebody_signs_in(tenant, name=ANNE):
        result = manage("status")

    assert result.code == 0
    assert f"the app registration {client_id}" in result.err
    assert app.passed


def test_a_key_has_its_own_routes(manage: Manage, app: SignedInDouble):
    """With sign-in on, a key still opens the console, at another path."""
    app.routes["GET", "doctor"] = (200, {"ok": True, "checks": []})

    assert manage("doctor", "--key", KEY).code == 0
    assert [one.path for one in app.asked] == ["/api/console/doctor"] * 2
    assert not app.passed


@pytest.mark.parametrize("keyed", ["closed", "gone"])
@pytest.mark.parametrize(
    ("asks", "words"),
    [
        ("redirect", "accepts no keys"),
        ("header", "accepts no keys"),
        ("silently", "accepts no keys"),
        ("not at all", "If it requires a sign-in"),
    ],
)
def test_keys_may_be_switched_off(manage, app, asks, words, keyed):
    """However the app refuses, the sentence says to sign in."""
    app.keyed, app.asks = keyed, asks

    assert_one_sentence(manage("status", "--key", KEY), 3, words, "PHOTOSYNC_CLIENT_ID")


def test_a_wrong_key(manage: Manage):
    """At the routes for keys the sentence is that of any wrong key."""
    assert_one_sentence(manage("status", "--key", "another"), 3, "does not accept the key")


def test_account_without_role(manage: Manage, tenant: Cloud, client_id: str):
    """With the CLI and with a code, one sentence says whom to ask; the app is not called."""
    tenant.tenant.assigned.clear()
    by_cli = manage("status", PHOTOSYNC_CLIENT_ID=client_id)
    assert_one_sentence(by_cli, 3, "no role", "grant --console")
    with somebody_signs_in(tenant, name=ANNE):
        by_code = manage("status", PHOTOSYNC_CLIENT_ID=client_id, AZ_MODE="logged-out")
    assert (by_code.code, by_code.out) == (3, "")
    assert "no role" in by_code.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("declines", "words"),
    [(False, ["AADSTS65001", "grant --console"]), (True, ["Entra issued no token: AADSTS"])],
    ids=["no consent", "declined"],
)
def test_entra_issues_no_token(manage, tenant, client_id, declines, words):
    """Without consent the sentence names the command for an admin; else it has Entra's reason."""
    if not declines:
        tenant.tenant.consents.clear()
    with somebody_signs_in(tenant, name=ANNE, decline=declines):
        result = manage("status", PHOTOSYNC_CLIENT_ID=client_id, AZ_MODE="logged-out")

    assert result.code == 3
    assert [word for word in words if word not in result.err.splitlines()[-1]] == []


def test_app_without_sign_in_address(manage: Manage, app: SignedInDouble):
    """The sentence says which variable to set."""
    app.asks = "silently"

    assert_one_sentence(manage("status"), 2, "PHOTOSYNC_CLIENT_ID")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (refusal("Forbidden", "That takes the role Operator."), "That takes the role Operator."),
        # A 403 without PhotoSync's sentence is App Service's, or a firewall's.
        (b"", "before PhotoSync saw it"),
    ],
)
def test_forbidden(manage: Manage, app: SignedInDouble, client_id: str, body: Any, words: str):
    """The sentence says who refused, and the request is not repeated."""
    app.routes["POST", "sweep"] = (403, body)

    assert_one_sentence(manage("sweep", PHOTOSYNC_CLIENT_ID=client_id), 3, words)
    assert len(app.asked) == 1


@pytest.mark.parametrize(
    "location",
    [
        f"https://login.example/{TENANT_ID}/oauth2/v2.0/authorize?client_id={OTHER}",
        f"http://login.microsoftonline.com/{TENANT_ID}/authorize?client_id={OTHER}",
        f"https://login.microsoftonline.com@evil.example/x?client_id={OTHER}",
        f"https://evil.example/.auth/login/aad?client_id={OTHER}",
        "https://[",
    ],
)
def test_no_other_host_is_believed(manage, app, monkeypatch, location):
    """A redirect to another host than Entra's is not followed."""

    def elsewhere() -> Answer:
        app.headers = {"Location": location}
        return 302, b""

    monkeypatch.setattr(app, "_away", elsewhere)

    result = manage("status")
    assert_one_sentence(result, result.code)
    assert result.code in {3, 4}
    assert len(app.asked) == 1


def test_no_token_for_anything_else_is_sent(manage, tenant, app, client_id, grant):
    """A server that names another registration gets no token."""
    made = tenant.tenant.apps[client_id]
    settings = {**made.settings, "appRoles": [], "identifierUris": []}
    tenant.tenant.apps[OTHER] = type(made)(OTHER, name="Payroll", settings=settings)
    tenant.tenant.consents["c"] = type(next(iter(tenant.tenant.consents.values())))(
        OTHER, OTHER, frozenset({"user_impersonation"})
    )
    app.client_id = OTHER
    with somebody_signs_in(tenant, name=ANNE):
        result = manage("status")

    assert result.code == 3
    assert "no role" in result.err
    assert not app.passed


@pytest.mark.parametrize(
    ("option", "value"), [("--client-id", "me"), ("--tenant-id", "contoso.onmicrosoft.com")]
)
def test_invalid_ids(manage: Manage, option: str, value: str):
    """Both become part of an address or of az's command line."""
    assert_one_sentence(manage("status", option, value), 2, option)


def test_a_token_is_renewed_before_it_ends(tenant: Cloud, client_id: str, az: Path, monkeypatch):
    """A long command gets a new token before the old one expires."""
    for name, value in (environment(tenant, az) | {"AZ_NAME": ANNE}).items():
        monkeypatch.setenv(name, value)
    now = [tenant.tenant.login_time().timestamp()]
    one = SignIn(
        Account(client_id), asks_cli=True, ca="", tell=lambda text: None, clock=lambda: now[0]
    )

    first = one.token()
    assert one.token() == first
    now[0] += 56 * 60
    assert one.token() != first


def test_sign_in_is_off(manage: Manage, client_id: str):
    """Without a key, the sentence is that of a missing key."""
    with serving(ConsoleDouble()) as console:
        without = manage("status", PHOTOSYNC_URL=console.url)
        by_token = manage("status", PHOTOSYNC_URL=console.url, PHOTOSYNC_CLIENT_ID=client_id)

    assert_one_sentence(without, 2, "PHOTOSYNC_KEY", "function key")
    assert_one_sentence(by_token, 3, "CONSOLE_SIGN_IN", "PHOTOSYNC_KEY")
