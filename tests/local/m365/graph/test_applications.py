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
from tests.local.m365.entra.test_entra import scope
from tests.local.m365.simulator import ADMIN_APP, Cloud

ONE = f"/applications(appId='{ADMIN_APP}')"


def key(pem: Path, **changes: Any) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(pem.read_bytes())
    der = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return {"type": "AsymmetricX509Cert", "usage": "Verify", "key": der, **changes}


def token(m365: Cloud, client_id: str, pem: Path) -> dict[str, Any]:
    wanted = scope(m365.tenant.urls.graph)
    result: dict[str, Any] = m365.client(client_id, pem).acquire_token_for_client(wanted)
    return result


def test_new_app_signs_in_once_it_has_a_principal(m365: Cloud, tmp_path: Path):
    """Its certificate authenticates it; without a service principal there is no token."""
    pem = make_client_certificate(tmp_path, "new")
    with m365.signed_in(APPLICATIONS) as session:
        body = {"displayName": "New", "keyCredentials": [key(pem)]}
        made = session.post("/applications", json=body)
        client_id = made.json()["appId"]
        before = token(m365, client_id, pem)
        principal = session.post("/servicePrincipals", json={"appId": client_id})

    assert (made.status_code, principal.status_code) == (201, 201)
    assert before["error_codes"] == [7000229]
    assert "access_token" in token(m365, client_id, pem)


def test_keys_are_replaced_as_a_whole(m365: Cloud, tmp_path: Path):
    """An old key stays if it is sent with its keyId, and is removed otherwise."""
    old, new = m365.client_certificate, make_client_certificate(tmp_path, "new")
    with m365.signed_in(APPLICATIONS) as session:
        kept = session.get(ONE).json()["keyCredentials"]
        assert [each["key"] for each in kept] == [None]
        both = {"keyCredentials": [*kept, key(new)]}
        assert session.patch(ONE, json=both).status_code == 204
        assert "access_token" in token(m365, ADMIN_APP, old)
        assert "access_token" in token(m365, ADMIN_APP, new)
        session.patch(ONE, json={"keyCredentials": [key(new)]})

    assert token(m365, ADMIN_APP, old)["error_codes"] == [700027]


def test_key_is_shown_only_on_request(m365: Cloud):
    """`key` is returned with $select for a single application."""
    with m365.signed_in() as session:
        shown = session.get(f"{ONE}?$select=id,keyCredentials").json()

    assert shown["keyCredentials"][0]["key"] == key(m365.client_certificate)["key"]


def test_app_is_found_by_its_name(m365: Cloud):
    """Names are not unique, an apostrophe is doubled, and other filters are refused."""
    with m365.signed_in() as session:
        for _ in range(2):
            session.post("/applications", json={"displayName": "Anne's"})
        found = session.get("/applications?$filter=displayName eq 'Anne''s'").json()
        refused = session.get("/applications?$filter=startswith(displayName,'A')")

    assert (len(found["value"]), refused.status_code) == (2, 400)


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
    """400, and no app is registered."""
    before = len(m365.tenant.apps)
    keys = [key(m365.client_certificate, **changes)]
    with m365.signed_in(APPLICATIONS) as session:
        answer = session.post("/applications", json={"displayName": "New", "keyCredentials": keys})

    assert (answer.status_code, len(m365.tenant.apps)) == (400, before)


def test_rights_to_register_and_change(m365: Cloud):
    """Every member may register unless the tenant forbids it; changing an app needs an admin."""
    with m365.signed_in(PRIVILEGED) as session:
        made = session.post("/applications", json={"displayName": "New"}).status_code
        m365.tenant.switches.users_register_apps = False
        forbidden = session.post("/applications", json={"displayName": "New"}).status_code
        changed = session.patch(ONE, json={"keyCredentials": []}).status_code

    assert (made, forbidden, changed) == (201, 403, 403)
