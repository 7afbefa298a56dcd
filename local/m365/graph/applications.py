"""Graph's applications: registering, finding, and their certificates."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.entra.tokens import Claims
from local.m365.graph import registrations
from local.m365.graph.admin import admin_route, denied, named, only, selected
from local.m365.graph.rights import READ, REGISTER
from local.m365.graph.wire import bad_request, collection, entity, json_object, not_found
from local.m365.tenant import directory
from local.m365.tenant.records import App, Key
from local.m365.tenant.tenant import Tenant

_BAD = "Request_BadRequest"
_FILTER = re.compile(r"displayName eq '((?:[^']|'')*)'")
_AUDIENCE = "AzureADMyOrg"
_UPDATED = registrations.PROPERTIES | {"keyCredentials", "signInAudience"}
_CREATED = _UPDATED | {"displayName"}
ONE = "/applications{key:object_key}"


def routes(tenant: Tenant) -> list[Route]:
    """Documented (application: list, get, create, update): methods, paths, bodies, statuses."""
    return [
        admin_route(tenant, "GET", "/applications", READ, find),
        admin_route(
            tenant, "POST", "/applications", REGISTER._replace(held_by=frozenset()), create
        ),
        admin_route(tenant, "GET", ONE, READ, get),
        admin_route(tenant, "PATCH", ONE, REGISTER, update),
    ]


def _app(tenant: Tenant, request: Request) -> App:
    key = str(request.path_params["key"])
    for app in tenant.apps.values():
        object_id = directory.application_id(tenant, app)
        if named(key, object_id=object_id, app_id=app.client_id) and not app.managed_identity:
            if directory.has_replicated(tenant, object_id):
                return app
            break
    raise not_found(key.lstrip("/"))


async def find(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Find by name; names need not be unique. A list omits the `key` of each certificate."""
    options = only(request, ("$filter", "$select"))
    match = _FILTER.fullmatch(options.get("$filter", ""))
    if match is None:
        raise bad_request("Unsupported or invalid query filter clause.", "Request_UnsupportedQuery")
    name = match[1].replace("''", "'").casefold()
    found = [
        _shown(tenant, app, with_keys=False)
        for app in tenant.apps.values()
        if app.name.casefold() == name and not app.managed_identity
    ]
    return collection(tenant, "applications", found)


async def get(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """
    Documented (keyCredential): `key` is null unless `$select` requests it for a single object.
    """
    with_keys = "keyCredentials" in request.query_params.get("$select", "").split(",")
    fields = _shown(tenant, _app(tenant, request), with_keys=with_keys)
    return entity(tenant, "applications", selected(request, fields))


async def create(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Documented: `displayName` is required, and every member may register unless forbidden."""
    if not tenant.switches.users_register_apps and not REGISTER.is_held_by(claims):
        raise denied()
    body = await json_object(request)
    name = body.get("displayName")
    if not isinstance(name, str) or not name:
        message = "Invalid value specified for property 'displayName' of resource 'Application'."
        raise bad_request(message, _BAD)
    _check_known(body, _CREATED)
    keys = _keys(body.get("keyCredentials", []), ())
    app = App(str(uuid.uuid4()), name=name, keys=keys, has_principal=False)
    app = replace(app, settings=registrations.written(tenant, app, body))
    directory.add(tenant, app, directory.application_id(tenant, app))
    return entity(tenant, "applications", _shown(tenant, app, with_keys=False), 201)


async def update(tenant: Tenant, request: Request, claims: Claims) -> Response:
    """Replace the list of keys as a whole: a key that is not in it is removed."""
    app = _app(tenant, request)
    body = await json_object(request)
    _check_known(body, _UPDATED)
    app = replace(app, settings=registrations.written(tenant, app, body))
    if "keyCredentials" in body:
        keys = _keys(body["keyCredentials"], _present(app))
        app = replace(app, certificate=None, keys=keys)
    tenant.apps[app.client_id.lower()] = app
    return Response(status_code=204)


def _check_known(body: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := set(body) - known:
        raise bad_request(f"The simulator does not write {', '.join(sorted(unknown))}.", _BAD)
    if body.get("signInAudience", _AUDIENCE) != _AUDIENCE:
        raise bad_request("The simulator registers only apps of one tenant.", _BAD)


def _present(app: App) -> tuple[Key, ...]:
    """All keys of *app*, including the configured one."""
    if app.certificate is None:
        return app.keys
    key_id = uuid.uuid5(uuid.NAMESPACE_OID, _thumbprint(app.certificate))
    return (Key(str(key_id), app.certificate, "configured"), *app.keys)


def _keys(raw: object, present: tuple[Key, ...]) -> tuple[Key, ...]:
    """
    The keys after a write.

    Documented (keyCredential): type, usage, and `key` as base64 of the certificate. Reported: an
        existing key stays if it is sent with its keyId and without its `key`; another `key` for its
        keyId is refused with this sentence.
    """
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise bad_request("keyCredentials is a collection.", _BAD)
    known = {key.id: key for key in present}
    return tuple(_key(one, known) for one in raw)


def _key(raw: Mapping[str, Any], known: Mapping[str, Key]) -> Key:
    if (raw.get("type"), raw.get("usage")) != ("AsymmetricX509Cert", "Verify"):
        raise bad_request("Key credential type or usage is invalid.", _BAD)
    old = known.get(str(raw.get("keyId")))
    if old is not None and raw.get("key") is None:
        return old
    try:
        der = base64.b64decode(str(raw.get("key")), validate=True)
        certificate = x509.load_der_x509_certificate(der)
    except (binascii.Error, ValueError) as error:
        raise bad_request("Key value is invalid certificate.", _BAD) from error
    if old is not None:
        if old.certificate != certificate:
            message = f"Update to existing credential with KeyId '{old.id}' is not allowed."
            raise bad_request(message, _BAD)
        return old
    end = raw.get("endDateTime")
    # Assumed: the sentence; other tools avoid sending a later end.
    if end and datetime.fromisoformat(str(end)) > certificate.not_valid_after_utc:
        raise bad_request("Key credential end date is invalid.", _BAD)
    name = raw.get("displayName") or certificate.subject.rfc4514_string()
    return Key(str(raw.get("keyId") or uuid.uuid4()), certificate, str(name))


def _shown(tenant: Tenant, app: App, *, with_keys: bool) -> dict[str, Any]:
    return {
        "id": directory.application_id(tenant, app),
        "appId": app.client_id,
        "displayName": app.name,
        "signInAudience": _AUDIENCE,
        **registrations.shown(app),
        "keyCredentials": [_shown_key(key, with_keys) for key in _present(app)],
    }


def _shown_key(key: Key, with_key: bool) -> dict[str, Any]:
    der = key.certificate.public_bytes(Encoding.DER)
    return {
        "customKeyIdentifier": _thumbprint(key.certificate),
        "displayName": key.name,
        "endDateTime": key.certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "key": base64.b64encode(der).decode() if with_key else None,
        "keyId": key.id,
        "startDateTime": key.certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
    }


def _thumbprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA1()).hex().upper()
