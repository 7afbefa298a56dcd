"""The simulated login host: requests by msal, and handmade ones that msal would never send."""

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
    TIMEOUT,
    Cloud,
    HostSession,
)


def scope(url: str) -> list[str]:
    return [f"{url}/.default"]


def claims_of(result: dict[str, Any]) -> dict[str, Any]:
    return jwt.decode(result["access_token"], options={"verify_signature": False})


@pytest.mark.parametrize(
    ("host", "roles"), [("my", SHAREPOINT_ROLES), ("graph", GRAPH_ROLES)], ids=["my", "graph"]
)
def test_certificate_gets_a_token_for_the_requested_host(
    office: Cloud, host: str, roles: tuple[str, ...]
):
    """The token names host, tenant and app, and has only the roles granted on that resource."""
    audience = getattr(office.tenant.urls, host)
    claims = claims_of(office.client().acquire_token_for_client(scope(audience)))

    assert (claims["aud"], claims["tid"]) == (audience, TENANT_ID)
    assert (claims["appid"], claims["appidacr"]) == (ADMIN_APP, "2")
    assert claims["roles"] == sorted(roles)


def test_app_tokens_are_like_recorded_ones(office: Cloud):
    """Version 1, issued by sts.windows.net, with the app's name; no `roles` without roles."""
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
    """A client that follows discovery to the keys can verify a token."""
    url = f"{office.tenant.urls.login}/{TENANT_ID}/.well-known/openid-configuration"
    document = requests.get(url, timeout=TIMEOUT).json()
    key = jwt.PyJWK(requests.get(document["jwks_uri"], timeout=TIMEOUT).json()["keys"][0]).key
    graph = office.tenant.urls.graph

    verified = jwt.decode(
        office.token(graph), key, ["RS256"], audience=graph, issuer=document["issuer"]
    )
    assert verified["appid"] == ADMIN_APP


def test_other_certificate_is_refused(office: Cloud, tmp_path):
    """A certificate must be registered on the app; naming a registered one is not enough."""
    other = make_client_certificate(tmp_path, "stranger")
    graph = scope(office.tenant.urls.graph)

    result = office.client(certificate=other).acquire_token_for_client(graph)
    key = serialization.load_pem_private_key(other.read_bytes(), None)
    forged = ask(office, client_assertion=assertion(office, key=key))

    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])
    assert forged.json()["error_codes"] == [700027]


def assertion(office: Cloud, **changed) -> str:
    """msal's assertion with the claims in *changed*; None omits one, `key` signs it."""
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
    return requests.post(url, data=form, timeout=TIMEOUT)


@pytest.mark.parametrize("named", [TENANT_ID, "contoso.com", "contoso.onmicrosoft.com"])
def test_handmade_assertion_is_accepted(office: Cloud, named: str):
    """For each name of the tenant. So each refusal below is due to its one difference."""
    made = assertion(office, aud=f"{office.tenant.urls.login}/{named}/oauth2/v2.0/token")

    assert ask(office, named, client_assertion=made).status_code == 200


def test_assertion_of_msal_for_net(office: Cloud):
    """As recorded with 4.92: PS256, only `x5t#S256`, and both times as text."""
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
        pytest.param({"exp": time.time() + 2 * 86_400}, 700024, id="valid for too long"),
        pytest.param({"exp": "soon"}, 50027, id="exp is not a time"),
        pytest.param({"nbf": "-1"}, 50027, id="nbf is not a time"),
        pytest.param({"exp": True}, 50027, id="exp is not a number"),
        pytest.param({"exp": None}, 50027, id="no expiry"),
    ],
)
def test_every_claim_of_an_assertion_is_checked(office: Cloud, changed: dict[str, Any], code: int):
    """An assertion for another endpoint, app or time is refused with Entra's code."""
    response = ask(office, client_assertion=assertion(office, **changed))

    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.json()["error_codes"] == [code]
    assert f"AADSTS{code}:" in response.json()["error_description"]


@pytest.mark.parametrize(
    ("changed", "status", "error", "code"),
    [
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://graph.example"}, 400, "invalid_scope", 1002012),
        ({"scope": "https://graph.example/.default"}, 400, "invalid_resource", 500011),
        # Only `<host>/.default`, with nothing before or after it.
        ({"scope": "{graph}/.default.evil"}, 400, "invalid_scope", 1002012),
        ({"scope": "{graph}/.default openid"}, 400, "invalid_scope", 1002012),
        ({"scope": " {graph}/.default"}, 400, "invalid_scope", 1002012),
        ({"scope": "{graph}"}, 400, "invalid_scope", 1002012),
        ({"client_assertion_type": "other"}, 400, "invalid_request", 90014),
        ({"client_assertion": "no jwt"}, 401, "invalid_client", 50027),
        ({"tenant": str(uuid.uuid4())}, 400, "invalid_request", 90002),
        ({"client_assertion": None, "client_secret": "guess"}, 401, "invalid_client", 7000215),
    ],
)
def test_bad_request(office: Cloud, changed: dict[str, Any], status: int, error: str, code: int):
    """Every other mistake has its own AADSTS code."""
    if "scope" in changed:
        changed = {"scope": changed["scope"].format(graph=office.tenant.urls.graph)}
    response = ask(office, **changed)

    assert response.status_code == status
    assert response.json()["error"] == error
    assert response.json()["error_codes"] == [code]


def test_token_by_secret_is_refused_by_sharepoint(office: Cloud):
    """Its appidacr is 1, which Graph accepts and SharePoint does not."""
    client = msal.ConfidentialClientApplication(
        ADMIN_APP,
        client_credential=SECRET,
        authority=f"{office.tenant.urls.login}/{TENANT_ID}",
        instance_discovery=False,
    )
    urls = office.tenant.urls
    for_graph = client.acquire_token_for_client(scope(urls.graph))
    for_sharepoint = client.acquire_token_for_client(scope(urls.my))

    with HostSession(urls.graph, for_graph["access_token"]) as session:
        graph = session.get("/v1.0/users")
    with HostSession(urls.my, for_sharepoint["access_token"]) as session:
        sharepoint = session.get("/_api/web")

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
    """msal's managed-identity client works as on App Service; SharePoint accepts its token."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{office.tenant.urls.control}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", IDENTITY_HEADER)
    with requests.Session() as session:
        client = msal.ManagedIdentityClient(identity, http_client=session)
        result = client.acquire_token_for_client(resource=office.tenant.urls.my)

    assert claims_of(result)["appid"] == IDENTITY
    with HostSession(office.tenant.urls.my, result["access_token"]) as session:
        assert session.get("/_api/web").status_code == 200


@pytest.mark.parametrize(
    ("header", "changed", "status"),
    [
        ("guessed", {}, 401),
        (IDENTITY_HEADER, {"client_id": str(uuid.uuid4())}, 400),
        (IDENTITY_HEADER, {"api-version": "2017-09-01"}, 400),
        (IDENTITY_HEADER, {"resource": "https://graph.example"}, 500),
    ],
)
def test_bad_request_of_a_managed_identity(
    office: Cloud, header: str, changed: dict[str, Any], status: int
):
    """Another app's header, an unknown identity, version or resource are refused."""
    query = {"api-version": "2019-08-01", "resource": office.tenant.urls.graph, **changed}
    url, headers = f"{office.tenant.urls.control}/msi/token", {"X-IDENTITY-HEADER": header}

    assert requests.get(url, query, headers=headers, timeout=TIMEOUT).status_code == status


def test_token_expires_after_an_hour():
    """By the tenant's clock."""
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
