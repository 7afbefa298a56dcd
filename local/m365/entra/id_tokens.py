"""ID tokens of the simulated Entra: who has signed in to which app."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection

import jwt

from local.m365.tenant.tenant import Tenant

LIFETIME = 3600  # seconds


def object_id(tenant: Tenant, name: str) -> str:
    """The object id of whoever signs in as *name*: always the same."""
    return str(uuid.uuid5(uuid.UUID(tenant.tenant_id), name))


def issue(
    tenant: Tenant, name: str, client_id: str, *, nonce: str = "", roles: Collection[str] = ()
) -> str:
    """
    A token that says that *name* has signed in to the app, where they hold *roles*.

    Documented (Entra, ID token claims): these claims; `roles` only where some are assigned.
    """
    now = int(time.time())
    claims: dict[str, object] = {
        "aud": client_id,
        "iss": f"{tenant.urls.login}/{tenant.tenant_id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "sub": object_id(tenant, name),
        "oid": object_id(tenant, name),
        "preferred_username": name,
        "tid": tenant.tenant_id,
        "ver": "2.0",
    }
    if nonce:
        claims["nonce"] = nonce
    if roles:
        claims["roles"] = sorted(roles)
    return jwt.encode(claims, tenant.signing_key, algorithm="RS256", headers={"kid": "local"})
