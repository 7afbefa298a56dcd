"""ID tokens of the simulated Entra: who signed in to which app."""

from __future__ import annotations

import time
from collections.abc import Collection

import jwt

from local.m365.tenant import sign_ins
from local.m365.tenant.tenant import Tenant

LIFETIME = 3600  # seconds


def issue(
    tenant: Tenant, name: str, client_id: str, *, nonce: str = "", roles: Collection[str] = ()
) -> str:
    """
    A token stating that *name* has signed in to the app, with *roles* there.

    Documented (Entra, ID token claims): these claims; `roles` only if some are assigned.
    """
    now = int(time.time())
    person = sign_ins.object_id(tenant, name)
    claims: dict[str, object] = {
        "aud": client_id,
        "iss": f"{tenant.urls.login}/{tenant.tenant_id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        "sub": person,
        "oid": person,
        "preferred_username": name,
        "tid": tenant.tenant_id,
        "ver": "2.0",
    }
    if nonce:
        claims["nonce"] = nonce
    if roles:
        claims["roles"] = sorted(roles)
    return jwt.encode(claims, tenant.signing_key, algorithm="RS256", headers={"kid": "local"})
