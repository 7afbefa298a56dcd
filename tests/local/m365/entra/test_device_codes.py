"""The simulated login host: sign-in on another device."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msal
import pytest
import requests

from local.m365.entra import device_codes
from local.m365.tenant.admins import COMMAND_LINE_TOOLS, GLOBAL, TEMPLATES
from tests.local.m365.entra.test_entra import claims_of
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, TIMEOUT, Cloud


def client(m365: Cloud, tenant: str = TENANT_ID) -> msal.PublicClientApplication:
    authority = f"{m365.tenant.urls.login}/{tenant}"
    return msal.PublicClientApplication(
        COMMAND_LINE_TOOLS, authority=authority, instance_discovery=False
    )


def scopes(m365: Cloud) -> list[str]:
    return [f"{m365.tenant.urls.graph}/Application.Read.All"]


def once(app: msal.PublicClientApplication, flow: dict[str, Any]) -> dict[str, Any]:
    """One request for the token."""
    flow.pop("latest_attempt_at", None)
    result: dict[str, Any] = app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    return result


@pytest.mark.parametrize("tenant", [TENANT_ID, "organizations"])
def test_a_code_becomes_a_token_of_the_person(m365: Cloud, tenant: str):
    """Pending until a person has signed in; then it has the requested scopes and their roles."""
    app = client(m365, tenant)
    flow = app.initiate_device_flow(scopes(m365))
    assert flow["user_code"] in flow["message"]
    assert once(app, flow)["error"] == "authorization_pending"
    m365.sim("POST", "/sign-in", {"userCode": flow["user_code"], "roles": [GLOBAL]})

    claims = claims_of(once(app, flow))

    assert claims["scp"] == "Application.Read.All"
    assert claims["wids"] == [TEMPLATES[GLOBAL]]
    assert "roles" not in claims
    assert once(app, flow)["error"] == "bad_verification_code"


def test_a_code_can_be_declined_and_expires(m365: Cloud):
    """Each has its own error."""
    app = client(m365)
    flow = app.initiate_device_flow(scopes(m365))
    m365.sim("POST", "/sign-in", {"userCode": flow["user_code"], "decline": True})
    assert once(app, flow)["error"] == "authorization_declined"

    other = app.initiate_device_flow(scopes(m365))
    m365.tenant.device_codes[other["device_code"]].expires -= device_codes.LIFETIME + timedelta(1)
    assert once(app, other)["error"] == "expired_token"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"client_id": ADMIN_APP}, 700016),
        ({"scope": "openid profile"}, 70011),
        ({"scope": "https://elsewhere.example/User.Read"}, 70011),
    ],
)
def test_bad_requests_for_a_code(m365: Cloud, changed: dict[str, str], code: int):
    """A client that is not public, and scopes that are not Graph's."""
    form = {"client_id": COMMAND_LINE_TOOLS, "scope": " ".join(scopes(m365)), **changed}
    url = f"{m365.tenant.urls.login}/{TENANT_ID}/oauth2/v2.0/devicecode"

    answer = requests.post(url, data=form, timeout=TIMEOUT)

    assert answer.status_code == 400
    assert answer.json()["error_codes"] == [code]


def test_the_token_of_the_azure_cli(m365: Cloud):
    """The control API issues one with its fixed scopes, none of them for sites."""
    token = m365.sim("POST", "/admin-token", {"roles": [GLOBAL]})["accessToken"]

    granted = claims_of({"access_token": token})["scp"].split()
    assert "AppRoleAssignment.ReadWrite.All" in granted
    assert not [scope for scope in granted if scope.startswith("Sites.")]
    assert m365.refused("POST", "/admin-token", {"roles": ["King"]}) == 400
    assert m365.refused("POST", "/sign-in", {"userCode": "UNKNOWN"}) == 400
