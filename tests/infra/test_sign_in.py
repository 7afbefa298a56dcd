"""Sign-in to the console: App Service authentication, on request only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from local.cloud.auth_settings import auth_settings
from shared.settings.clouds import CLOUDS
from tests.infra.functions import TENANT
from tests.infra.resource import Resource
from tests.infra.samples import CONSOLE, one, plain, with_more
from tests.local.bench.test_graph_poster import AT


def settings(resources: list[Resource]) -> dict[str, Any]:
    return one(resources, "Microsoft.Web/sites/config", "authsettingsV2").properties


def test_sign_in_is_off_by_default():
    """Without CONSOLE_SIGN_IN it is set to off, because omitted properties stay."""
    assert settings(plain()) == {"platform": {"enabled": False}}


def test_sign_in_to_one_tenant():
    """Only tokens for this registration, from this tenant; no secret, and no stored tokens."""
    made = settings(with_more(consoleSignIn=CONSOLE))

    assert made["platform"] == {"enabled": True}
    assert made["httpSettings"] == {"requireHttps": True}
    assert made["identityProviders"] == {
        "azureActiveDirectory": {
            "enabled": True,
            "registration": {
                "clientId": CONSOLE,
                "openIdIssuer": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            },
            "validation": {"allowedAudiences": [CONSOLE, f"api://{CONSOLE}"]},
        }
    }
    assert made["login"] == {
        "tokenStore": {"enabled": False},
        "preserveUrlFragmentsForLogins": True,
    }


def test_paths_without_sign_in():
    """Graph, probes and, if allowed, keys; all others are sent to the login page."""
    default = settings(with_more(consoleSignIn=CONSOLE))["globalValidation"]
    strict = settings(with_more(consoleSignIn=CONSOLE, consoleKeys=False))["globalValidation"]
    to_all = ["/api/notifications", "/api/health"]

    assert default == {
        "requireAuthentication": True,
        "unauthenticatedClientAction": "RedirectToLoginPage",
        "redirectToProvider": "azureactivedirectory",
        "excludedPaths": [*to_all, "/api/keyed", "/api/keyed/*"],
    }
    assert strict["excludedPaths"] == to_all


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_its_issuer(cloud: str):
    """The login host is that of the app's settings, and can be overridden."""
    chosen = settings(with_more(consoleSignIn=CONSOLE, m365Cloud=cloud))
    other = settings(with_more(consoleSignIn=CONSOLE, loginUrl="https://login.example"))
    issuers = [
        each["identityProviders"]["azureActiveDirectory"]["registration"]["openIdIssuer"]
        for each in (chosen, other)
    ]

    assert issuers == [
        f"{CLOUDS[cloud].login_url}/{TENANT}/v2.0",
        f"https://login.example/{TENANT}/v2.0",
    ]


@pytest.mark.parametrize("keys", [True, False])
def test_local_cloud_has_the_same_settings(keys: bool):
    """The local host gets the same settings as App Service, so its tests apply here."""
    login = "https://login.microsoftonline.com"
    at = replace(AT, login=login, tenant_id=TENANT, console_client_id=CONSOLE)
    made = settings(with_more(consoleSignIn=CONSOLE, consoleKeys=keys))

    assert is_within(auth_settings(at, keys=keys), made)


def is_within(part: Any, whole: Any) -> bool:
    """Whether *whole* contains all of *part*."""
    if not isinstance(part, dict):
        return bool(part == whole)
    return all(name in whole and is_within(value, whole[name]) for name, value in part.items())
