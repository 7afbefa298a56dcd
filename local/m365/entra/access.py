"""Checks a request's bearer token: its audience, and the roles that the call needs."""

from __future__ import annotations

from collections.abc import Collection

from local.m365.entra import tokens
from local.m365.entra.tokens import Claims
from local.m365.tenant.tenant import Tenant


class Refused(Exception):
    """The request is refused. `kind` says why; each service words its own answer."""

    def __init__(self, kind: str, status: int, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind  # "missing", "invalid", "audience" or "roles"
        self.status = status
        self.detail = detail


def check(
    tenant: Tenant, authorization: str | None, *, audience: str, any_of: Collection[str] = ()
) -> Claims:
    """
    The claims of the bearer. Raises Refused.

    401 for a token that is missing, not ours, expired, or made for another host; 403 if it has none
    of the roles *any_of* (an empty *any_of* needs no role).
    Documented: one token per host, each with its own audience (facts/sharepoint.md section 3), and
        application roles per call (facts/sharepoint.md section 4, facts/graph.md section 4).
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused("missing", 401, "Access token is empty.")
    try:
        claims = tokens.read(tenant, token.strip())
    except tokens.BadToken as error:
        raise Refused("invalid", 401, str(error)) from error
    if claims.audience != audience:
        raise Refused("audience", 401, f"Invalid audience '{claims.audience}'.")
    if any_of and not claims.roles.intersection(any_of):
        raise Refused("roles", 403, f"Needs one of: {', '.join(sorted(any_of))}.")
    return claims
