"""The signed-in user, in the form in which App Service passes it to the app."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

PREFIXES = ("x-ms-client-principal", "x-ms-token-")

_SCHEMA = "http://schemas.microsoft.com"
_XML = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
# Reported (principals quoted in issues and answers): these claims get a long name, all others keep
# their name.
_LONG = {
    "oid": f"{_SCHEMA}/identity/claims/objectidentifier",
    "tid": f"{_SCHEMA}/identity/claims/tenantid",
    "sub": f"{_XML}/nameidentifier",
    "upn": f"{_XML}/upn",
}


def _claims_of(token: Mapping[str, Any]) -> list[dict[str, str]]:
    """
    The claims as pairs of type and value; a claim with several values gives one pair for each.
    """
    return [{"typ": _LONG.get(name, name), "val": text} for name, text in _texts(token)]


def headers_of(token: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """
    The headers for the app.

    Documented: Learn, configure-authentication-user-identities: their names, and the members of the
    principal.
    """
    principal = {
        "auth_typ": "aad",
        "claims": _claims_of(token),
        "name_typ": f"{_XML}/emailaddress",
        "role_typ": f"{_SCHEMA}/ws/2008/06/identity/claims/role",
    }
    name = str(token.get("preferred_username") or token.get("upn") or "")
    return [
        (b"x-ms-client-principal", base64.b64encode(json.dumps(principal).encode())),
        (b"x-ms-client-principal-id", str(token.get("oid", "")).encode()),
        (b"x-ms-client-principal-name", name.encode()),
        (b"x-ms-client-principal-idp", b"aad"),
    ]


def _texts(token: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in token.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, each if isinstance(each, str) else json.dumps(each)
