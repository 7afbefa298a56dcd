"""Access tokens of the simulated Entra: made, and read back."""

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
# Recorded: about 3,900 seconds from `nbf` to `exp`. Assumed: five minutes of them are over already.
_BACKDATED = timedelta(minutes=5)
BY_NOTHING = "0"
BY_SECRET = "1"
BY_CERTIFICATE = "2"


@dataclass(frozen=True)
class Claims:
    """What a token says of its bearer."""

    client_id: str
    audience: str
    roles: frozenset[str]
    authenticated_by: str
    is_person: bool = False
    scopes: frozenset[str] = frozenset()
    directory_roles: frozenset[str] = frozenset()


class BadToken(Exception):
    """The token is not one of ours, or its time is over."""


def resource_of(tenant: Tenant, audience: str) -> str:
    """Whose roles count there: all of SharePoint's hosts are one resource."""
    return "graph" if audience == tenant.urls.graph else "sharepoint"


def issue(tenant: Tenant, app: App, audience: str, *, by: str = BY_CERTIFICATE) -> str:
    """
    A token for *audience* that carries the roles *app* was granted there.

    Documented: `appidacr` is "2" where a certificate proved the client and "1" where a secret
        did (facts/sharepoint.md section 4); the roles are those consented to for that resource.
    Recorded (facts/graph.md section 8): the app's name, `idp` as `iss`, `sub` as `oid`, and no
        `roles` at all where none was granted.
    Assumed: a managed identity's token carries "2" like a certificate's.
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
    """Recorded: who issues access tokens of version 1, as Graph and SharePoint get them."""
    return f"https://{tenant.cloud.issuer}/{tenant.tenant_id}/"


def issue_to_person(
    tenant: Tenant, person: Person, client_id: str, audience: str, scopes: Iterable[str]
) -> str:
    """
    A token by which *person* acts through the public client *client_id*, within *scopes*.

    Documented (access token claims): `scp` and not `roles`, the directory roles as `wids`.
    """
    claims = {
        "appid": client_id,
        "appidacr": BY_NOTHING,
        "idtyp": "user",
        "scp": " ".join(sorted(scopes)),
        "wids": sorted(TEMPLATES[role] for role in person.roles),
        "oid": sign_ins.object_id(tenant, person.name),
        "upn": person.name,
        "name": person.name.partition("@")[0],
    }
    return signed(tenant, audience, claims)


def signed(tenant: Tenant, audience: str, claims: Mapping[str, object]) -> str:
    """A token for *audience* that is good for an hour, with *claims*."""
    now = int(tenant.login_time().timestamp())
    begun = now - int(_BACKDATED.total_seconds())
    content = {
        "aud": audience,
        "iss": issuer(tenant),
        "iat": begun,
        "nbf": begun,
        "exp": now + int(LIFETIME.total_seconds()),
        "tid": tenant.tenant_id,
        "ver": "1.0",
        "uti": secrets.token_urlsafe(16),
        **claims,
    }
    return jwt.encode(content, tenant.signing_key, algorithm="RS256", headers={"kid": "local"})


def read(tenant: Tenant, token: str) -> Claims:
    """Verify signature, issuer and time of *token*; its audience is the caller's to judge."""
    try:
        claims = jwt.decode(
            token,
            tenant.signing_key.public_key(),
            algorithms=["RS256"],
            issuer=issuer(tenant),
            # The tenant's clock decides, so that a test can let an hour pass.
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
    lost = {
        role.name
        for role, at_once in tenant.withdrawn.items()
        if at_once and role[:2] == (client_id, resource)
    }
    held = set(claims.get("wids", ()))
    return Claims(
        client_id=client_id,
        audience=claims["aud"],
        roles=frozenset(claims.get("roles", ())) - lost,
        authenticated_by=claims["appidacr"],
        is_person=claims["idtyp"] == "user",
        scopes=frozenset(claims.get("scp", "").split()),
        directory_roles=frozenset(name for name, id in TEMPLATES.items() if id in held),
    )
