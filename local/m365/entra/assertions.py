"""Client assertions: checks that a signed JWT proves the caller to be that app."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509 import Certificate

from local.m365.tenant.records import App
from local.m365.tenant.tenant import Tenant

_CLOCK_SKEW = 300.0  # seconds
_MAX_LIFETIME = 86_400.0


class Rejected(Exception):
    """The assertion is invalid; `code` is the AADSTS number of the reason."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def verify(tenant: Tenant, app: App, assertion: str, *, audiences: Collection[str]) -> None:
    """
    Verify *assertion* of *app* for the token endpoint of one of *audiences*. Raises Rejected.

    Documented (Entra, certificate credentials): RS256 or PS256, the certificate named by `x5t` or
        `x5t#S256`, `aud` the token endpoint, `iss` and `sub` the client id, `exp` in the future.
    Recorded (MSAL for .NET 4.92, facts/graph.md section 8): `nbf` and `exp` may be strings of
        digits.
    Assumed: an `exp` more than a day ahead is refused (Entra advises five to ten minutes and states
        no limit); the tenant's name in `aud` may differ from the one in the URL; a clock difference
        of five minutes is tolerated; a `jti` may be reused, since msal sends one assertion for
        several scopes.
    """
    public = _named_key(tenant, app, assertion)
    try:
        claims = jwt.decode(
            assertion,
            public,
            algorithms=["RS256", "PS256"],
            options={
                "require": ["exp", "aud", "iss", "sub", "jti"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.MissingRequiredClaimError as error:
        raise Rejected(50027, f"JWT token is invalid or malformed: {error}") from error
    except jwt.InvalidTokenError as error:
        raise Rejected(700027, "Client assertion failed signature validation.") from error
    if claims["iss"] != app.client_id or claims["sub"] != app.client_id:
        raise Rejected(700021, "Client assertion issuer or subject is not the client_id sent.")
    if claims["aud"] not in audiences:
        raise Rejected(700023, "Client assertion audience claim does not match Realm issuer.")
    now = tenant.login_time().timestamp()
    begins, ends = _time(claims.get("nbf", now)), _time(claims["exp"])
    if (
        not begins - _CLOCK_SKEW <= now < ends + _CLOCK_SKEW
        or ends > now + _MAX_LIFETIME + _CLOCK_SKEW
    ):
        raise Rejected(700024, "Client assertion is not within its valid time range.")


def _time(claim: object) -> float:
    if isinstance(claim, str) and claim.isascii() and claim.isdecimal() and len(claim) <= 12:
        return float(claim)
    if not isinstance(claim, int | float) or isinstance(claim, bool):
        raise Rejected(50027, "JWT token is invalid or malformed: exp and nbf are numbers.")
    return claim


def _named_key(tenant: Tenant, app: App, assertion: str) -> rsa.RSAPublicKey:
    """The key of the registered certificate that the assertion's header names."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError as error:
        raise Rejected(50027, "JWT token is invalid or malformed.") from error
    registered = [app.certificate] if app.certificate else []
    registered += [key.certificate for key in app.keys]
    if not registered:
        raise Rejected(700027, "No certificate is registered on this application.")
    certificate = next((one for one in registered if _names(header, one)), None)
    if certificate is None:
        raise Rejected(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered"
            " on application. [Reason - The key was not found.]",
        )
    # Documented (AADSTS700027): the sentence is one of the reasons that Entra lists there.
    if certificate.not_valid_after_utc <= tenant.login_time():
        raise Rejected(
            700027,
            "The certificate with identifier used to sign the client assertion is expired on"
            " application. [Reason - The key used is expired.]",
        )
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise Rejected(700027, "The registered certificate is not an RSA one.")
    return public


def _names(header: Mapping[str, Any], certificate: Certificate) -> bool:
    named = [
        # With or without padding: msal keeps it, the standard removes it.
        str(header[key]).rstrip("=") == thumbprint(certificate, algorithm)
        for key, algorithm in (("x5t#S256", hashes.SHA256()), ("x5t", hashes.SHA1()))
        if key in header
    ]
    return bool(named) and all(named)


def thumbprint(certificate: Certificate, algorithm: hashes.HashAlgorithm) -> str:
    """The certificate's hash as in a JWT header: base64url without padding."""
    return base64.urlsafe_b64encode(certificate.fingerprint(algorithm)).rstrip(b"=").decode()
