"""The simulated directory: registering an app and adding certificates to it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from local.cloud.certificates import make_client_certificate
from local.m365.tenant.admins import APPLICATIONS, PRIVILEGED
from tests.local.m365.admins import signed_in
from tests.local.m365.entra.test_entra import scope
from tests.local.m365.simulator import ADMIN_APP, Cloud


def key(pem: Path, **changes: Any) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der, **changes}


def url(m365: Cloud) -> str:
    return f"{m365.tenant.urls.graph}/v1.0/applications"


def token(m365: Cloud, client_id: str, pem: Path) -> dict[str, Any]:
    wanted = scope(m365.tenant.urls.graph)
    result: dict[str, Any] = m365.client(client_id, pem).acquire_token_for_client(wanted)
    return result


def test_a_new_app_signs_in_once_it_has_a_principal(m365: Cloud, tmp_path: Path):
    """The certificate of the registration proves it; without a service principal: no token."""
    pem = make_client_certificate(tmp_path, "new")
    with signed_in(m365, APPLICATIONS) as session:
        body = {"displayName": "New", "keyCredentials": [key(pem)]}
        made = session.post(url(m365), json=body, timeout=10)
        client_id = made.json()["appId"]
        before = token(m365, client_id, pem)
        principals = f"{m365.tenant.urls.graph}/v1.0/servicePrincipals"
        assert session.post(principals, json={"appId": client_id}, timeout=10).status_code == 201

    assert made.status_code == 201
    assert before["error_codes"] == [7000229]
    assert "access_token" in token(m365, client_id, pem)


def test_keys_are_replaced_as_a_whole(m365: Cloud, tmp_path: Path):
    """An old key stays if its keyId comes along, and is gone if it does not."""
    old, new = m365.client_certificate, make_client_certificate(tmp_path, "new")
    one = f"{url(m365)}(appId='{ADMIN_APP}')"
    with signed_in(m365, APPLICATIONS) as session:
        kept = session.get(one, timeout=10).json()["keyCredentials"]
        assert [each["key"] for each in kept] == [None]
        both = {"keyCredentials": [*kept, key(new)]}
        assert session.patch(one, json=both, timeout=10).status_code == 204
        assert "access_token" in token(m365, ADMIN_APP, old)
        assert "access_token" in token(m365, ADMIN_APP, new)
        session.patch(one, json={"keyCredentials": [key(new)]}, timeout=10)

    assert token(m365, ADMIN_APP, old)["error_codes"] == [700027]


def test_a_key_is_shown_only_when_it_is_asked_for(m365: Cloud):
    """`key` comes with $select of one application."""
    with signed_in(m365) as session:
        shown = session.get(
            f"{url(m365)}(appId='{ADMIN_APP}')?$select=id,keyCredentials", timeout=10
        ).json()

    assert shown["keyCredentials"][0]["key"] == key(m365.client_certificate)["key"]


def test_an_app_is_found_by_its_name(m365: Cloud):
    """Names are not unique, an apostrophe is doubled, and other filters are refused."""
    with signed_in(m365) as session:
        for _ in range(2):
            session.post(url(m365), json={"displayName": "Anne's"}, timeout=10)
        found = session.get(f"{url(m365)}?$filter=displayName eq 'Anne''s'", timeout=10).json()
        refused = session.get(f"{url(m365)}?$filter=startswith(displayName,'A')", timeout=10)

    assert len(found["value"]) == 2
    assert refused.status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "Symmetric"},
        {"usage": "Sign"},
        {"key": "no base64"},
        {"key": base64.b64encode(b"no certificate").decode()},
        {"endDateTime": "2099-01-01T00:00:00Z"},
    ],
)
def test_bad_keys_are_refused(m365: Cloud, changes: dict[str, str]):
    """400, and nothing is registered."""
    before = len(m365.tenant.apps)
    body = {
        "displayName": "New",
        "keyCredentials": [key(m365.client_certificate, **changes)],
    }
    with signed_in(m365, APPLICATIONS) as session:
        assert session.post(url(m365), json=body, timeout=10).status_code == 400

    assert len(m365.tenant.apps) == before


def test_who_may_register_and_change(m365: Cloud):
    """Every member registers unless the tenant forbids it; others' apps take an admin."""
    one = f"{url(m365)}(appId='{ADMIN_APP}')"
    with signed_in(m365, PRIVILEGED) as session:
        made = session.post(url(m365), json={"displayName": "New"}, timeout=10).status_code
        m365.tenant.switches.users_register_apps = False
        forbidden = session.post(url(m365), json={"displayName": "New"}, timeout=10).status_code
        changed = session.patch(one, json={"keyCredentials": []}, timeout=10).status_code

    assert (made, forbidden, changed) == (201, 403, 403)
