"""The sign-in page of the simulated login host."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import jwt
import pytest
import requests

from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, TIMEOUT, Cloud

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


def test_sign_in_posts_a_token_to_the_app(m365: Cloud, page: str):
    """The token has the name, the role and the nonce; the app's `state` is escaped."""
    assert "<form" in requests.get(page, params=QUERY, timeout=TIMEOUT).text
    form = {"name": "anne@contoso.com", "role": "Viewer"}
    done = requests.post(page, params=QUERY, data=form, timeout=TIMEOUT)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', done.text))
    claims = jwt.decode(
        fields["id_token"], m365.tenant.signing_key.public_key(), ["RS256"], audience=ADMIN_APP
    )

    assert f'action="{BACK}"' in done.text
    assert fields["state"] == "&quot;&gt;&lt;script&gt;"
    assert (claims["nonce"], claims["roles"]) == ("a-nonce", ["Viewer"])
    assert (claims["tid"], claims["preferred_username"]) == (TENANT_ID, "anne@contoso.com")


@pytest.mark.parametrize(
    ("change", "web", "code"),
    [
        ({"client_id": TENANT_ID}, WEB, 700016),
        ({"redirect_uri": "https://evil.example"}, WEB, 50011),
        ({"response_type": "token"}, WEB, 700054),
        ({"nonce": ""}, WEB, 90014),
        ({"scope": ""}, WEB, 90014),
        ({}, {"redirectUris": [BACK]}, 700054),
    ],
)
def test_bad_request_is_shown_to_the_person(
    m365: Cloud, page: str, change: dict[str, str], web: dict[str, Any], code: int
):
    """No redirect, even if only ID tokens are not enabled for the registration."""
    app = m365.tenant.apps[ADMIN_APP]
    m365.tenant.apps[ADMIN_APP] = replace(app, settings={"web": web})
    reply = requests.get(page, params=QUERY | change, timeout=TIMEOUT, allow_redirects=False)

    assert (reply.status_code, f"AADSTS{code}" in reply.text) == (400, True)
