"""The sign-in page of the simulated login host."""

from __future__ import annotations

import re
from dataclasses import replace

import jwt
import pytest
import requests

from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud

BACK = "https://localhost:7071/.auth/login/aad/callback"
WEB = {"redirectUris": [BACK], "implicitGrantSettings": {"enableIdTokenIssuance": True}}
QUERY = {
    "client_id": ADMIN_APP,
    "redirect_uri": BACK,
    "response_type": "id_token",
    "response_mode": "form_post",
    "scope": "openid profile",
    "nonce": "a-nonce",
    "state": '"><script>',
}


@pytest.fixture
def page(m365: Cloud) -> str:
    app = m365.tenant.apps[ADMIN_APP]
    m365.tenant.apps[ADMIN_APP] = replace(app, settings={"web": WEB})
    return f"{m365.tenant.urls.login}/{TENANT_ID}/oauth2/v2.0/authorize"


def test_whoever_signs_in_is_posted_back(m365: Cloud, page: str):
    """The token names the person, the role and the nonce; what the app sent stays a text."""
    assert "<form" in requests.get(page, params=QUERY, timeout=30).text
    done = requests.post(
        page, params=QUERY, data={"name": "anne@contoso.com", "role": "Viewer"}, timeout=30
    )
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', done.text))
    claims = jwt.decode(
        fields["id_token"], m365.tenant.signing_key.public_key(), ["RS256"], audience=ADMIN_APP
    )

    assert f'action="{BACK}"' in done.text
    assert fields["state"] == "&quot;&gt;&lt;script&gt;"
    assert (claims["nonce"], claims["roles"]) == ("a-nonce", ["Viewer"])
    assert (claims["tid"], claims["preferred_username"]) == (TENANT_ID, "anne@contoso.com")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"client_id": TENANT_ID}, 700016),
        ({"redirect_uri": "https://evil.example"}, 50011),
        ({"response_type": "token"}, 700054),
        ({"nonce": ""}, 90014),
        ({"scope": ""}, 90014),
    ],
)
def test_request_that_cannot_be_trusted(page: str, change: dict[str, str], code: int):
    """It is told to the person, and nobody is sent anywhere."""
    reply = requests.get(page, params=QUERY | change, timeout=30, allow_redirects=False)

    assert (reply.status_code, f"AADSTS{code}" in reply.text) == (400, True)


def test_id_tokens_have_to_be_switched_on(m365: Cloud, page: str):
    """A registration that nobody told to issue ID tokens shows no page."""
    app = m365.tenant.apps[ADMIN_APP]
    web = {"redirectUris": [BACK]}
    m365.tenant.apps[ADMIN_APP] = replace(app, settings={"web": web})
    reply = requests.get(page, params=QUERY, timeout=30)

    assert (reply.status_code, "AADSTS700054" in reply.text) == (400, True)
