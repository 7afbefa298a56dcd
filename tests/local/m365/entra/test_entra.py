"""The simulated login host: asked by msal, and by hand for what msal would never send."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msal
import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from local.cloud.certificates import make_client_certificate
from local.m365.entra import access, tokens
from local.m365.entra.assertions import thumbprint
from local.m365.tenant.records import App, Urls
from local.m365.tenant.tenant import Tenant
from tests.local.m365.simulator import (
    ADMIN_APP,
    GRAPH_ROLES,
    IDENTITY,
    IDENTITY_HEADER,
    POOR_APP,
    SECRET,
    SHAREPOINT_ROLES,
    TENANT_ID,
    Cloud,
)


def scope(url: str) -> list[str]:
    return [f"{url}/.default"]


def claims_of(result: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(result["access_token"], options={"verify_signature": False})


def test_certificate_gets_a_token_for_the_host_asked(office: Cloud):
    """A registered certificate proves the app; the token names host, tenant, app and roles."""
    result = office.client().acquire_token_for_client(scope(office.tenant.urls.my))

    claims = claims_of(result)
    assert claims["aud"] == office.tenant.urls.my
    assert claims["tid"] == TENANT_ID
    assert claims["appid"] == ADMIN_APP
    assert claims["appidacr"] == "2"
    assert claims["roles"] == sorted(SHAREPOINT_ROLES)


def test_each_resource_has_its_own_roles(office: Cloud):
    """A Graph token carries the roles granted on Graph, not those granted on SharePoint."""
    result = office.client().acquire_token_for_client(scope(office.tenant.urls.graph))

    assert claims_of(result)["roles"] == sorted(GRAPH_ROLES)


def test_app_tokens_say_what_recorded_ones_say(office: Cloud):
    """Version 1, by sts.windows.net; who the app is, by name too; no roles where none are."""
    urls = office.tenant.urls
    client = office.client(POOR_APP)
    none = claims_of(client.acquire_token_for_client(scope(urls.graph)))
    some = claims_of(client.acquire_token_for_client(scope(urls.my)))

    assert "roles" not in none
    assert some["roles"] == ["Sites.Selected", "User.Read.All"]
    assert some["iss"] == some["idp"] == f"https://sts.windows.net/{TENANT_ID}/"
    assert some["sub"] == some["oid"]
    assert (some["ver"], some["app_displayname"]) == ("1.0", "App")
    assert some["exp"] - some["nbf"] == 3900


def test_token_verifies_with_the_published_key(office: Cloud):
    """Whoever follows discovery to the keys can verify a token."""
    login = office.tenant.urls.login
    document = requests.get(
        f"{login}/{TENANT_ID}/.well-known/openid-configuration", timeout=10
    ).json()
    key = requests.get(document["jwks_uri"], timeout=10).json()["keys"][0]

    token = office.token(office.tenant.urls.graph)

    verified = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=["RS256"],
        audience=office.tenant.urls.graph,
        issuer=document["issuer"],
    )
    assert verified["appid"] == ADMIN_APP


def test_other_certificate_is_refused(office: Cloud, tmp_path):
    """A certificate that is not registered on the app proves nothing."""
    stranger = make_client_certificate(tmp_path, "stranger")

    result = office.client(certificate=stranger).acquire_token_for_client(
        scope(office.tenant.urls.graph)
    )

    assert result["error"] == "invalid_client"
    assert result["error_codes"] == [700027]


def assertion(office: Cloud, **changed) -> str:
    """An assertion as msal makes it, but for what *changed* says (`key` signs, None leaves out)."""
    pem = office.client_certificate.read_bytes()
    certificate = x509.load_pem_x509_certificate(pem)
    key = changed.pop("key", serialization.load_pem_private_key(pem, None))
    claims = {
        "aud": f"{office.tenant.urls.login}/{TENANT_ID}/oauth2/v2.0/token",
        "iss": ADMIN_APP,
        "sub": ADMIN_APP,
        "exp": time.time() + 600,
        "jti": str(uuid.uuid4()),
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    header = {"x5t#S256": thumbprint(certificate, hashes.SHA256())}
    return jwt.encode(kept, key, algorithm="PS256", headers=header)


def ask(office: Cloud, tenant: str = TENANT_ID, **changed) -> requests.Response:
    form = {
        "grant_type": "client_credentials",
        "client_id": ADMIN_APP,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(office),
        "scope": f"{office.tenant.urls.graph}/.default",
        **changed,
    }
    url = f"{office.tenant.urls.login}/{tenant}/oauth2/v2.0/token"
    return requests.post(url, data=form, timeout=10)


@pytest.mark.parametrize("named", [TENANT_ID, "contoso.com", "contoso.onmicrosoft.com"])
def test_assertion_made_by_hand_is_accepted(office: Cloud, named: str):
    """
    The refusals below are for their one difference: the same request without it is fine, by
    whatever name the tenant is asked for.
    """
    audience = f"{office.tenant.urls.login}/{named}/oauth2/v2.0/token"
    made = assertion(office, aud=audience)

    assert ask(office, named, client_assertion=made).status_code == 200


def test_assertion_of_msal_for_net(office: Cloud):
    """As recorded of 4.92: PS256, `x5t#S256` alone, and both times as text."""
    now = int(time.time())
    made = assertion(office, nbf=str(now), exp=str(now + 600))
    late = assertion(office, nbf=str(now - 7200), exp=str(now - 3600))

    assert jwt.get_unverified_header(made).keys() == {"alg", "typ", "x5t#S256"}
    assert ask(office, client_assertion=made).status_code == 200
    assert ask(office, client_assertion=late).json()["error_codes"] == [700024]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"aud": "https://login.example/token"}, 700023, id="other audience"),
        pytest.param({"iss": str(uuid.uuid4())}, 700021, id="other issuer"),
        pytest.param({"sub": str(uuid.uuid4())}, 700021, id="other subject"),
        pytest.param({"exp": time.time() - 3600}, 700024, id="expired"),
        pytest.param({"nbf": time.time() + 3600}, 700024, id="not yet valid"),
        pytest.param({"exp": time.time() + 2 * 86_400}, 700024, id="good for too long"),
        pytest.param({"exp": "soon"}, 50027, id="expiry that is no time"),
        pytest.param({"nbf": "-1"}, 50027, id="beginning that is no time"),
        pytest.param({"exp": True}, 50027, id="expiry that is no number"),
        pytest.param({"exp": None}, 50027, id="no expiry"),
    ],
)
def test_assertion_must_fit_in_every_claim(office: Cloud, changed: dict[str, Any], code: int):
    """An assertion for another place, app or time is refused with Entra's code for that."""
    response = ask(office, client_assertion=assertion(office, **changed))

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.json()["error_codes"] == [code]
    assert f"AADSTS{code}:" in response.json()["error_description"]


def test_thumbprint_without_the_key_is_refused(office: Cloud, tmp_path):
    """Naming the registered certificate is not enough: its key must have signed."""
    stranger = make_client_certificate(tmp_path, "stranger")
    key = serialization.load_pem_private_key(stranger.read_bytes(), None)

    response = ask(office, client_assertion=assertion(office, key=key))

    assert response.json()["error_codes"] == [700027]


@pytest.mark.parametrize(
    ("changed", "status", "error", "code"),
    [
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://graph.example"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://graph.example/.default"}, 400, "invalid_resource", 500011),
        ({"client_assertion_type": "other"}, 400, "invalid_request", 90014),
        ({"client_assertion": "no jwt"}, 401, "invalid_client", 50027),
        ({"tenant": str(uuid.uuid4())}, 400, "invalid_request", 90002),
    ],
)
def test_bad_request_is_named(
    office: Cloud, changed: dict[str, Any], status: int, error: str, code: int
):
    """Every other mistake has its own AADSTS code."""
    response = ask(office, **changed)

    assert response.status_code == status
    assert response.json()["error"] == error
    assert response.json()["error_codes"] == [code]


@pytest.mark.parametrize("scope", ["{}/.default.evil", "{}/.default openid", " {}/.default", "{}"])
def test_scope_is_one_resource_and_the_default(office: Cloud, scope: str):
    """Nothing stands beside `<host>/.default`, before or after it."""
    response = ask(office, scope=scope.format(office.tenant.urls.graph))

    assert response.status_code == 400
    assert response.json()["error_codes"] == [1002012]


def test_wrong_secret_is_refused(office: Cloud):
    """A secret must be the registered one."""
    client = msal.ConfidentialClientApplication(
        ADMIN_APP,
        client_credential="guessed",
        authority=f"{office.tenant.urls.login}/{TENANT_ID}",
        instance_discovery=False,
    )

    result = client.acquire_token_for_client(scope(office.tenant.urls.graph))

    assert result["error_codes"] == [7000215]


def test_secret_is_good_for_graph_and_refused_by_sharepoint(office: Cloud):
    """A secret's token says appidacr 1, which Graph accepts and SharePoint does not."""
    client = msal.ConfidentialClientApplication(
        ADMIN_APP,
        client_credential=SECRET,
        authority=f"{office.tenant.urls.login}/{TENANT_ID}",
        instance_discovery=False,
    )
    urls = office.tenant.urls
    for_graph = client.acquire_token_for_client(scope(urls.graph))
    for_sharepoint = client.acquire_token_for_client(scope(urls.my))

    graph = requests.get(
        f"{urls.graph}/v1.0/users",
        headers={"Authorization": f"Bearer {for_graph['access_token']}"},
        timeout=10,
    )
    sharepoint = requests.get(
        f"{urls.my}/_api/web",
        headers={"Authorization": f"Bearer {for_sharepoint['access_token']}"},
        timeout=10,
    )

    assert claims_of(for_graph)["appidacr"] == "1"
    assert graph.status_code == 200
    assert sharepoint.status_code == 401
    assert sharepoint.json() == {"error_description": "Unsupported app only token."}


@pytest.mark.parametrize(
    "identity",
    [msal.SystemAssignedManagedIdentity(), msal.UserAssignedManagedIdentity(client_id=IDENTITY)],
    ids=["system", "user"],
)
def test_managed_identity_gets_a_token(office: Cloud, monkeypatch, identity):
    """msal's managed-identity client works as on App Service, and SharePoint takes its token."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{office.tenant.urls.control}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(identity, http_client=session)
        result = client.acquire_token_for_client(resource=office.tenant.urls.my)

    response = requests.get(
        f"{office.tenant.urls.my}/_api/web",
        headers={"Authorization": f"Bearer {result['access_token']}"},
        timeout=10,
    )

    assert claims_of(result)["appid"] == IDENTITY
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("header", "changed", "status"),
    [
        ("guessed", {}, 401),
        (IDENTITY_HEADER, {"client_id": str(uuid.uuid4())}, 400),
        (IDENTITY_HEADER, {"api-version": "2017-09-01"}, 400),
        (IDENTITY_HEADER, {"resource": "https://graph.example"}, 500),
    ],
)
def test_managed_identity_is_as_strict(
    office: Cloud, header: str, changed: dict[str, Any], status: int
):
    """The endpoint refuses another app's header, an unknown identity and an unknown resource."""
    query = {"api-version": "2019-08-01", "resource": office.tenant.urls.graph, **changed}

    response = requests.get(
        f"{office.tenant.urls.control}/msi/token",
        params=query,
        headers={"X-IDENTITY-HEADER": header},
        timeout=10,
    )

    assert response.status_code == status


def test_token_ends_after_its_hour():
    """A token is good until its hour is over, by the tenant's clock."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    tenant = Tenant(TENANT_ID, clock=lambda: now)
    tenant.urls = Urls(login="https://login.test", graph="https://graph.test")
    app = App(ADMIN_APP, graph_roles=frozenset({"User.Read.All"}))
    bearer = f"Bearer {tokens.issue(tenant, app, 'https://graph.test')}"

    now += tokens.LIFETIME - timedelta(seconds=1)
    claims = access.check(tenant, bearer, audience="https://graph.test", any_of=["User.Read.All"])
    now += timedelta(seconds=1)

    assert claims.client_id == ADMIN_APP
    with pytest.raises(access.Refused, match="expired"):
        access.check(tenant, bearer, audience="https://graph.test")
