"""Access tokens of the simulated Entra: issuing and verification."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import jwt

from local.m365.tenant import directory, sign_ins
from local.m365.tenant.admins import TEMPLATES, Person
from local.m365.tenant.records import App
from local.m365.tenant.tenant import Tenant

LIFETIME = timedelta(minutes=60)
# Recorded: about 3,900 seconds from `nbf` to `exp`. Assumed: `nbf` is five minutes in the past.
_BACKDATED = timedelta(minutes=5)
PUBLIC_CLIENT = "0"
BY_SECRET = "1"
BY_CERTIFICATE = "2"


@dataclass(frozen=True)
class Claims:
    """The claims of a token."""

    client_id: str
    audience: str
    roles: frozenset[str]
    authenticated_by: str
    is_person: bool = False
    scopes: frozenset[str] = frozenset()
    directory_roles: frozenset[str] = frozenset()


class BadToken(Exception):
    """The token is not one of ours, or is outside its time."""


def resource_of(tenant: Tenant, audience: str) -> str:
    """The resource whose roles count for *audience*: all of SharePoint's hosts are one resource."""
    return "graph" if audience == tenant.urls.graph else "sharepoint"


def issue(tenant: Tenant, app: App, audience: str, *, by: str = BY_CERTIFICATE) -> str:
    """
    A token for *audience* with the roles that *app* was granted there.

    Documented: `appidacr` is "2" for a client authenticated by certificate and "1" by secret
        (facts/sharepoint.md section 4); the roles are those consented to for that resource.
    Recorded (facts/graph.md section 8): the app's name, `idp` as `iss`, `sub` as `oid`, and no
        `roles` at all if none was granted.
    Assumed: a managed identity's token has "2", like a certificate's.
    """
    principal = directory.principal_id(tenant, app.client_id)
    claims: dict[str, object] = {
        "app_displayname": app.name,
        "appid": app.client_id,
        "appidacr": by,
        "idp": issuer(tenant),
        "idtyp": "app",
        "oid": principal,
        "sub": principal,
    }
    if roles := sorted(directory.granted(tenant, app, resource_of(tenant, audience))):
        claims["roles"] = roles
    return signed(tenant, audience, claims)


def issuer(tenant: Tenant) -> str:
    """Recorded: the issuer of access tokens of version 1, which Graph and SharePoint get."""
    return f"https://{tenant.cloud.issuer}/{tenant.tenant_id}/"


def issue_to_person(
    tenant: Tenant, person: Person, client_id: str, audience: str, scopes: Iterable[str]
) -> str:
    """
    A token for *person* through the public client *client_id*, limited to *scopes*.

    Documented (access token claims): `scp` instead of `roles`, the directory roles as `wids`.
    """
    claims = {
        "appid": client_id,
        "appidacr": PUBLIC_CLIENT,
        "idtyp": "user",
        "scp": " ".join(sorted(scopes)),
        "wids": sorted(TEMPLATES[role] for role in person.roles),
        "oid": sign_ins.object_id(tenant, person.name),
        "upn": person.name,
        "name": person.name.partition("@")[0],
    }
    return signed(tenant, audience, claims)


def signed(tenant: Tenant, audience: str, claims: Mapping[str, object]) -> str:
    """A token for *audience* with *claims*, valid for an hour."""
    now = int(tenant.login_time().timestamp())
    start = now - int(_BACKDATED.total_seconds())
    content = {
        "aud": audience,
        "iss": issuer(tenant),
        "iat": start,
        "nbf": start,
        "exp": now + int(LIFETIME.total_seconds()),
        "tid": tenant.tenant_id,
        "ver": "1.0",
        "uti": secrets.token_urlsafe(16),
        **claims,
    }
    return jwt.encode(content, tenant.signing_key, algorithm="RS256", headers={"kid": "local"})


def read(tenant: Tenant, token: str) -> Claims:
    """Verify signature, issuer and time of *token*; the caller checks its audience."""
    try:
        claims = jwt.decode(
            token,
            tenant.signing_key.public_key(),
            algorithms=["RS256"],
            issuer=issuer(tenant),
            # By the tenant's clock, so that a test can let an hour pass.
            options={
                "require": ["exp", "aud", "iss"],
                "verify_aud": False,
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
            },
        )
    except jwt.InvalidTokenError as error:
        raise BadToken("The token's signature or issuer is not valid.") from error
    if claims["exp"] <= tenant.login_time().timestamp():
        raise BadToken("The token is expired.")
    client_id, resource = claims["appid"], resource_of(tenant, claims["aud"])
    withdrawn = {
        role.name
        for role, from_issued in tenant.withdrawn.items()
        if from_issued and role[:2] == (client_id, resource)
    }
    held = set(claims.get("wids", ()))
    return Claims(
        client_id=client_id,
        audience=claims["aud"],
        roles=frozenset(claims.get("roles", ())) - withdrawn,
        authenticated_by=claims["appidacr"],
        is_person=claims["idtyp"] == "user",
        scopes=frozenset(claims.get("scp", "").split()),
        directory_roles=frozenset(name for name, id in TEMPLATES.items() if id in held),
    )
