"""Checks tokens of the login host: signature, audience and expiry."""

import ssl
from collections.abc import Collection
from pathlib import Path
from typing import Any

import jwt
import requests

_TIMEOUT = 10


class BadToken(Exception):
    """The token is invalid, expired, or for another audience."""


class Tokens:
    """Verifies with the keys from *issuer*'s discovery document."""

    def __init__(self, issuer: str, ca: Path | None) -> None:
        self._issuer = issuer
        self._ca = str(ca) if ca else None
        self._keys: jwt.PyJWKClient | None = None
        self._endpoint = ""

    @property
    def authorization_endpoint(self) -> str:
        """The URL where people sign in. Raises requests' errors."""
        self._discover()
        return self._endpoint

    def read(self, token: str, audiences: Collection[str]) -> dict[str, Any]:
        """The claims of *token* if it was issued for one of *audiences*. Raises BadToken."""
        try:
            key = self._discover().get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=self._issuer,
                audience=list(audiences),
                options={"require": ["exp", "aud", "iss"]},
            )
        except jwt.PyJWTError as error:
            raise BadToken(str(error)) from error
        return claims

    def _discover(self) -> jwt.PyJWKClient:
        if self._keys is None:
            url = f"{self._issuer}/.well-known/openid-configuration"
            answer = requests.get(url, timeout=_TIMEOUT, verify=self._ca or True)
            answer.raise_for_status()
            found = answer.json()
            self._endpoint = found["authorization_endpoint"]
            trusted = ssl.create_default_context(cafile=self._ca)
            self._keys = jwt.PyJWKClient(found["jwks_uri"], ssl_context=trusted)
        return self._keys
