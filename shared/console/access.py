"""
Who calls the console, and what they may do: the only code that reads the platform's principal.

App Service authentication names the signed-in person in a header, and strips that header from all
other requests (functions.md section Sign-in). It does so only while it is on, and perhaps not on
paths that it leaves open. So the header is trusted only where the platform says that it checks, and
never on a route that a key opens.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadRequest, NotAllowed, NotSignedIn
from shared.settings.console import ConsoleSettings
from shared.signature import KEY, PERSON, Signature
from shared.user import is_object_id

VIEWER, OPERATOR = "Viewer", "Operator"
PRINCIPAL = "X-MS-CLIENT-PRINCIPAL"
# No form and no link can send it: only our page, or a program, does.
ORDER = "X-PhotoSync-Order"

_LONGEST_PRINCIPAL = 64_000
_LONGEST_NAME = 256
# The platform may map a claim's name to its long form (documented), or leave it unchanged.
_SCHEMAS = "http://schemas.microsoft.com"
_OBJECT_ID = {"oid", f"{_SCHEMAS}/identity/claims/objectidentifier"}
_TENANT_ID = {"tid", f"{_SCHEMAS}/identity/claims/tenantid"}
_ROLES = {"roles", f"{_SCHEMAS}/ws/2008/06/identity/claims/role"}
_NAMES = (
    "preferred_username",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "unique_name",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "name",
)


@dataclass(frozen=True)
class Caller:
    """The caller; `role` is VIEWER, which may read, or OPERATOR, which may also give orders."""

    signature: Signature
    role: str

    @property
    def may_order(self) -> bool:
        return self.role == OPERATOR

    def to_fields(self) -> dict[str, str]:
        """For the page, which shows who is signed in and what they may do."""
        return {"via": self.signature.via, "name": self.signature.name, "role": self.role}


def by_key() -> Caller:
    """The caller of a route whose function key the host has checked."""
    return Caller(Signature(KEY), OPERATOR)


def signed_in(headers: Mapping[str, str], settings: ConsoleSettings) -> Caller:
    """The caller that the platform says has signed in. Raises NotSignedIn, NotAllowed."""
    if not settings.client_id:
        raise NotSignedIn(
            "CONSOLE_KEYS is false and CONSOLE_SIGN_IN is empty, so nobody can sign in. Set "
            "CONSOLE_SIGN_IN (manage.py grant --console), or set CONSOLE_KEYS to true."
        )
    if not settings.is_checked:
        raise NotSignedIn(
            "CONSOLE_SIGN_IN is set, but App Service authentication is off, so sign-ins cannot be "
            "verified and nobody is admitted. Run azd provision, or clear CONSOLE_SIGN_IN."
        )
    claims = _claims(headers.get(PRINCIPAL, ""))
    tenants, ids = _values(claims, _TENANT_ID), _values(claims, _OBJECT_ID)
    is_one = len(ids) == 1 and all(map(is_object_id, ids))
    if not is_one or tenants != {settings.tenant_id.casefold()}:
        raise NotSignedIn(
            "Your account belongs to another organisation. Sign in with an account of this app's "
            "tenant (TENANT_ID)."
        )
    (object_id,) = ids
    roles = _values(claims, _ROLES)
    role = next((one for one in (OPERATOR, VIEWER) if one.casefold() in roles), "")
    if not role:
        raise NotAllowed(
            "You are signed in, but you have no role here. Ask an administrator to assign you "
            "Viewer or Operator in the enterprise application PhotoSync console (manage.py grant "
            "--console). Then sign out and sign in again."
        )
    return Caller(Signature(PERSON, _name(claims) or object_id, object_id), role)


def must_order(caller: Caller, headers: Mapping[str, str]) -> None:
    """Raise NotAllowed unless *caller* may give orders, BadRequest if a form may have sent it."""
    if not caller.may_order:
        raise NotAllowed("Your role is Viewer, which is read-only. Orders need the role Operator.")
    if caller.signature.via == PERSON and not _is_deliberate(headers):
        raise BadRequest(f"Send the header {ORDER} with every order: it blocks forged requests.")


def _is_deliberate(headers: Mapping[str, str]) -> bool:
    """Whether it cannot be the form of a foreign page, sent with the person's cookie."""
    bears_token = headers.get("Authorization", "").casefold().startswith("bearer ")
    return bears_token or bool(headers.get(ORDER))


def _claims(header: str) -> list[tuple[str, str]]:
    """
    Type and value of each claim; roles have the type `roles`, whatever the principal calls them.
    Raises NotSignedIn.

    Documented: Learn, configure-authentication-user-identities, "Decode the client principal
    header": Base64 of JSON with `claims` (objects of `typ` and `val`) and `role_typ`.
    """
    if not header:
        raise NotSignedIn("Sign in with Microsoft first, at /.auth/login/aad.")
    try:
        if len(header) > _LONGEST_PRINCIPAL:
            raise ValueError("The principal is too long.")
        principal = json.loads(base64.b64decode(header, validate=True))
        claims = [(_text(one["typ"]), _text(one["val"])) for one in principal["claims"]]
        kind_of_roles = principal.get("role_typ")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotSignedIn(
            "App Service sent details of your sign-in that cannot be read. Sign in again."
        ) from error
    return [("roles" if kind == kind_of_roles else kind, value) for kind, value in claims]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("A claim must be a string.")
    return value


def _values(claims: list[tuple[str, str]], kinds: set[str]) -> set[str]:
    return {value.casefold() for kind, value in claims if kind in kinds and value}


def _name(claims: list[tuple[str, str]]) -> str:
    by_kind = dict(reversed(claims))
    name = next((by_kind[kind] for kind in _NAMES if by_kind.get(kind)), "")
    return "".join(sign for sign in name if sign.isprintable())[:_LONGEST_NAME]
