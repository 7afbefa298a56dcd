"""Which callers the console admits, and with which role."""

from __future__ import annotations

import base64
import json
from typing import Any

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.console import access
from shared.console.access import OPERATOR, VIEWER, Caller, must_order, signed_in
from shared.errors import BadRequest, NotAllowed, NotSignedIn
from shared.settings.console import ConsoleSettings
from shared.signature import KEY, PERSON, Signature

TENANT = "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10"
ANNE = "11111111-2222-4333-8444-555555555555"
ON = {"CONSOLE_SIGN_IN": ANNE, "WEBSITE_AUTH_ENABLED": "True", "TENANT_ID": TENANT.upper()}
LONG = "http://schemas.microsoft.com"


def settings(**more: str) -> ConsoleSettings:
    return ConsoleSettings.from_mapping(ON | more)


def principal(*roles: str, **changes: Any) -> dict[str, str]:
    """The headers of Anne's request as the platform passes it on; None omits a claim."""
    claims = {"oid": ANNE, "tid": TENANT, "preferred_username": "anne@contoso.com", **changes}
    listed = [{"typ": kind, "val": value} for kind, value in claims.items() if value is not None]
    listed += [{"typ": "roles", "val": role} for role in roles]
    return header({"auth_typ": "aad", "claims": listed, "name_typ": "name", "role_typ": "roles"})


def header(content: object) -> dict[str, str]:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(text).decode()}


def test_person_is_named_and_has_their_role():
    """A caller has a name, an object id and a role; of two roles, Operator counts."""
    anne = Signature(PERSON, "anne@contoso.com", ANNE)

    assert signed_in(principal(VIEWER), settings()) == Caller(anne, VIEWER)
    assert signed_in(principal(VIEWER, OPERATOR), settings()) == Caller(anne, OPERATOR)


def test_no_keys_and_no_sign_in():
    """If keys are off and the sign-in is not configured, nobody is admitted."""
    shut = settings(CONSOLE_SIGN_IN="", CONSOLE_KEYS="false")

    assert shut.signs_in
    with pytest.raises(NotSignedIn, match="CONSOLE_KEYS"):
        signed_in(principal(OPERATOR), shut)


def test_claims_by_their_long_names():
    """The platform may rename claims, and says which of them are roles."""
    claims = [
        (f"{LONG}/identity/claims/objectidentifier", ANNE),
        (f"{LONG}/identity/claims/tenantid", TENANT),
        ("name", "Anne Keller"),
        ("groups-as-roles", OPERATOR),
    ]
    renamed = {"claims": [{"typ": k, "val": v} for k, v in claims], "role_typ": "groups-as-roles"}

    caller = signed_in(header(renamed), settings())
    assert caller == Caller(Signature(PERSON, "Anne Keller", ANNE), OPERATOR)


def test_person_without_a_name():
    """The object id replaces a missing name; a name cannot break a log line."""
    unnamed = signed_in(principal(VIEWER, preferred_username=None), settings())
    odd = signed_in(principal(VIEWER, preferred_username="anne\n2026 forged"), settings())

    assert (unnamed.signature.name, odd.signature.name) == (ANNE, "anne2026 forged")


@pytest.mark.parametrize("platform", ["", "False", "1"])
def test_header_is_ignored_without_authentication(platform: str):
    """If App Service authentication is off, even a perfect principal is rejected."""
    with pytest.raises(NotSignedIn, match="authentication is off"):
        signed_in(principal(OPERATOR), settings(WEBSITE_AUTH_ENABLED=platform))


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"X-MS-CLIENT-PRINCIPAL": "anne"}, id="no base64"),
        pytest.param({"X-MS-CLIENT-PRINCIPAL": "A" * 70_000}, id="huge"),
        pytest.param(header(b"{"), id="no json"),
        pytest.param(header([]), id="a list"),
        pytest.param(header({"claims": None}), id="no claims"),
        pytest.param(header({"claims": [{"typ": "oid"}]}), id="no value"),
        pytest.param(header({"claims": [{"typ": "oid", "val": 5}]}), id="a number"),
        pytest.param(header(b"[" * 40_000), id="deep"),
        pytest.param(principal(OPERATOR, oid=None), id="no object id"),
        pytest.param(principal(OPERATOR, oid="anne user=x"), id="not an id"),
        pytest.param(principal(OPERATOR, tid=None), id="no tenant"),
        pytest.param(principal(OPERATOR, tid=ANNE), id="another tenant"),
        pytest.param(
            principal(OPERATOR, **{f"{LONG}/identity/claims/objectidentifier": TENANT}),
            id="two people",
        ),
    ],
)
def test_bad_principal(headers: dict[str, str]):
    """A missing or damaged principal is rejected, and so is one of another tenant."""
    with pytest.raises(NotSignedIn):
        signed_in(headers, settings())


def test_tenant_must_be_known():
    """Without TENANT_ID no tenant is the right one."""
    with pytest.raises(NotSignedIn):
        signed_in(principal(OPERATOR), settings(TENANT_ID=""))
    with pytest.raises(NotSignedIn):
        signed_in(principal(OPERATOR, tid=""), settings(TENANT_ID=""))


@pytest.mark.parametrize("roles", [(), ("Owner",)])
def test_person_without_a_role(roles: tuple[str, ...]):
    """A person without a role is not admitted, and learns whom to ask."""
    with pytest.raises(NotAllowed, match="grant --console"):
        signed_in(principal(*roles), settings())


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: json.dumps(text).encode()))
def test_any_header(content: bytes):
    """No header leads to any other error than these two."""
    with pytest.raises((NotSignedIn, NotAllowed)):
        signed_in(header(content), settings())


def test_viewer_gives_no_order():
    """A Viewer learns which role is needed; the order's header does not help."""
    viewer = signed_in(principal(VIEWER), settings())
    with pytest.raises(NotAllowed, match="role Operator"):
        must_order(viewer, {access.ORDER: "1"})


def test_order_needs_a_header():
    """A browser adds the cookie to any form, but only our page adds the header."""
    operator = signed_in(principal(OPERATOR), settings())
    with pytest.raises(BadRequest, match=access.ORDER):
        must_order(operator, {"Cookie": "AppServiceAuthSession=x"})

    must_order(operator, {access.ORDER: "1"})
    must_order(operator, {"Authorization": "Bearer token"})


def test_key_does_everything():
    """A key allows orders, without any other header."""
    caller = access.by_key()

    must_order(caller, {})
    assert caller == Caller(Signature(KEY), OPERATOR)


def test_headers_as_the_worker_has_them():
    """The engine's headers are read whatever their case."""
    request = func.HttpRequest(
        method="GET",
        url="/",
        body=b"",
        headers={name.lower(): value for name, value in principal(VIEWER).items()},
    )
    assert signed_in(request.headers, settings()).role == VIEWER


@pytest.mark.parametrize(
    ("value", "takes_keys"), [("", True), ("True", True), ("false", False), ("yes", False)]
)
def test_console_keys(value: str, takes_keys: bool):
    """An invalid value turns keys off."""
    assert settings(CONSOLE_KEYS=value).takes_keys is takes_keys
