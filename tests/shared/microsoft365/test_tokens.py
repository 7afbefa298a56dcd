"""Tokens from the simulated Entra, by certificate and by managed identity, and its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from local.cloud.certificates import make_client_certificate
from local.m365.tenant.fault_plan import apply_order
from shared.errors import AccessDenied, ServiceDown, SettingsError, Throttled, TryLater
from shared.microsoft365.tokens import EntraTokens
from shared.settings.app import Settings
from tests.local.m365.simulator import (
    IDENTITY,
    IDENTITY_HEADER,
    PHOTOSYNC_APP,
    TENANT_ID,
    Cloud,
    cloud,
)
from tests.shared.settings.test_app import ENOUGH, GUID


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One simulator for all tests here; each test has its own tokens."""
    with cloud(tmp_path_factory.mktemp("office")) as simulated:
        yield simulated


def registration(office: Cloud, **settings: str) -> EntraTokens:
    env = {
        **ENOUGH,
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": PHOTOSYNC_APP,
        "CLIENT_CERTIFICATE": str(office.client_certificate),
        "LOGIN_URL": office.tenant.urls.login,
        **settings,
    }
    return EntraTokens.build(Settings.from_mapping(env))


@pytest.fixture
def identity(office: Cloud, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], EntraTokens]:
    """Tokens as an app with a managed identity gets them in Azure, by its client id."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{office.tenant.urls.control}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    return lambda client_id: EntraTokens.build(
        Settings.from_mapping({**ENOUGH, "MANAGED_IDENTITY_CLIENT_ID": client_id})
    )


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


# From Entra


def test_token_by_certificate(office: Cloud):
    """A registration gets a token for the requested host with its certificate."""
    found = claims(registration(office).bearer(office.tenant.urls.my))

    assert found["aud"] == office.tenant.urls.my
    assert (found["appid"], found["appidacr"]) == (PHOTOSYNC_APP, "2")


def test_token_by_managed_identity(office: Cloud, identity: Callable[[str], EntraTokens]):
    """A managed identity gets a token for the requested host."""
    found = claims(identity(IDENTITY).bearer(office.tenant.urls.admin))

    assert (found["aud"], found["appid"]) == (office.tenant.urls.admin, IDENTITY)


def test_each_host_has_its_own_token(office: Cloud):
    """There is one scope per host: a token is not sent to another host."""
    tokens = registration(office)

    assert tokens.bearer(office.tenant.urls.my) != tokens.bearer(office.tenant.urls.admin)


def test_refused_token_is_replaced(office: Cloud):
    """After a 401 a fresh token replaces the refused one, for all callers; then it is cached."""
    tokens = registration(office)
    first = tokens.bearer(office.tenant.urls.my)
    fresh = tokens.bearer(office.tenant.urls.my, refused=first)

    assert fresh != first
    assert tokens.bearer(office.tenant.urls.my, refused=first) == fresh
    assert tokens.bearer(office.tenant.urls.my) == fresh


REFUSALS = {
    "unknown app": ({"CLIENT_ID": GUID}, "AADSTS700016"),
    "unknown tenant": ({"TENANT_ID": GUID}, "check TENANT_ID and M365_CLOUD"),
}


@pytest.mark.parametrize(("settings", "why"), REFUSALS.values(), ids=REFUSALS)
def test_entra_refuses(office: Cloud, settings: dict[str, str], why: str):
    """A refusal is AccessDenied; its sentence points to the wrong setting."""
    with pytest.raises(AccessDenied, match=why):
        registration(office, **settings).bearer(office.tenant.urls.my)


def test_certificate_that_is_not_registered(office: Cloud, tmp_path: Path):
    """Entra refuses an unknown certificate with its own code."""
    other = make_client_certificate(tmp_path, "other")
    tokens = registration(office, CLIENT_CERTIFICATE=str(other))

    with pytest.raises(AccessDenied, match="AADSTS"):
        tokens.bearer(office.tenant.urls.my)


def test_bad_certificate():
    """An unreadable certificate is reported before any call."""
    with pytest.raises(SettingsError, match="CLIENT_CERTIFICATE"):
        EntraTokens.build(Settings.from_mapping({**ENOUGH, "CLIENT_CERTIFICATE": "none.pem"}))


@pytest.mark.parametrize("path", ["openid-configuration", "/token"])
@pytest.mark.parametrize("fault", ["429", "429-bare", "503", "500", "reset", "half"])
def test_entra_in_trouble(office: Cloud, path: str, fault: str):
    """If Entra itself has a fault, the message waits and the next attempt succeeds."""
    tokens = registration(office)
    order = {"service": "login", "path": path, "fault": fault, "retryAfter": 3}
    apply_order(office.tenant.faults, order)

    with pytest.raises(TryLater) as caught:
        tokens.bearer(office.tenant.urls.my)

    assert isinstance(caught.value, Throttled) is fault.startswith(("429", "50"))
    assert caught.value.retry_after == (3 if fault in {"429", "503"} else None)
    assert tokens.bearer(office.tenant.urls.my)


def test_identity_endpoint_refuses(office: Cloud, identity: Callable[[str], EntraTokens]):
    """An identity that is not assigned to the app is AccessDenied."""
    with pytest.raises(AccessDenied, match="Entra refused to issue a token"):
        identity(GUID).bearer(office.tenant.urls.my)


# From a client that returns what Entra or msal is known to return


class Client:
    """Stands in for msal: returns one answer or raises one error."""

    def __init__(self, result: dict[str, Any] | Exception) -> None:
        self._result = result

    def token_for(self, audience: str) -> dict[str, Any]:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


AADSTS = "AADSTS7000222: The key is expired.\r\nTrace ID: 5\r\nTimestamp: now"
ANSWERS: dict[str, tuple[dict[str, Any] | Exception, type[Exception], str]] = {
    "refusal": (
        {"error": "invalid_client", "error_description": AADSTS},
        AccessDenied,
        r"Entra refused to issue a token: AADSTS7000222: The key is expired\.$",
    ),
    "code alone": (
        {"error": "invalid_scope"},
        AccessDenied,
        "refused to issue a token: invalid_scope$",
    ),
    "nothing": ({}, AccessDenied, "refused to issue a token: None$"),
    "empty words": (
        {"error": "", "error_description": "\n"},
        AccessDenied,
        "refused to issue a token:$",
    ),
    "token of another type": ({"access_token": 5}, AccessDenied, "refused to issue a token"),
    "busy": ({"error": "temporarily_unavailable"}, ServiceDown, "Entra is busy: temporarily"),
    "no connection": (requests.ConnectTimeout(), ServiceDown, r"reached .*\(ConnectTimeout\)"),
    "broken body": (json.JSONDecodeError("x", "x", 0), ServiceDown, "with invalid JSON"),
    "no such tenant": (ValueError("discovery"), AccessDenied, "TENANT_ID"),
}


@pytest.mark.parametrize(("result", "kind", "why"), ANSWERS.values(), ids=ANSWERS)
def test_answer_without_a_token(result, kind, why):
    """Trouble at Entra means waiting; any other answer without a token is a refusal."""
    with pytest.raises(kind, match=why):
        EntraTokens(lambda: Client(result)).bearer("https://graph.contoso.com")


def test_failed_start_is_retried():
    """A client that failed to start is created again for the next message."""
    result: list[Exception | None] = [requests.ConnectionError(), None]

    def new_client() -> Client:
        error = result.pop(0)
        if error:
            raise error
        return Client({"access_token": "t"})

    tokens = EntraTokens(new_client)

    with pytest.raises(ServiceDown):
        tokens.bearer("https://graph.contoso.com")
    assert tokens.bearer("https://graph.contoso.com") == "t"


def test_same_token_again():
    """If a new client returns the refused token too, it is used: the service decides."""
    tokens = EntraTokens(lambda: Client({"access_token": "t"}))

    assert tokens.bearer("https://graph.contoso.com", refused="t") == "t"
