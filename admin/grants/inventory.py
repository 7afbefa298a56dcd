"""Reads everything that a plan depends on. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from admin.grants import certificate
from admin.grants.certificate import Held
from admin.grants.directory import Directory
from admin.grants.found import Application, Found, Principal
from admin.grants.order import Order
from admin.grants.plan import Registration
from admin.grants.sites import Sites
from admin.grants.wanted import SERVICES
from admin.terminal.fields import Fields
from admin.terminal.problems import NotFound, Unusable


@dataclass(frozen=True)
class Inventory:
    """What was found, and the certificate from the file."""

    found: Found
    registration: Registration
    held: Held | None = None


def take_inventory(order: Order, directory: Directory, sites: Sites, now: datetime) -> Inventory:
    """Everything about the identity of *order*. Raises Problem."""
    held = _held(order, now)
    application = _application(order, directory, held)
    principal = _principal(order, directory, application)
    resources = tuple(directory.resource(service) for service in SERVICES)
    found = Found(
        resources,
        tuple(directory.assignments(principal, resources)) if principal else (),
        principal,
        application,
    )
    client_id = principal.app_id if principal else ""
    looked = tuple(sites.read(host, client_id) for host in order.my_sites)
    found = replace(found, sites=looked)
    registration = Registration(
        new="" if application else order.new_app,
        file=str(order.certificate or ""),
        has_file=held is not None,
    )
    return Inventory(found, registration, held)


def _held(order: Order, now: datetime) -> Held | None:
    if order.certificate is None or not order.certificate.exists():
        return None
    return certificate.read(order.certificate, now)


def _principal(
    order: Order, directory: Directory, application: Application | None
) -> Principal | None:
    if order.identity:
        found = directory.principal(order.identity)
        if found is None:
            raise NotFound(
                f"No service principal has the client id or object id {order.identity}: check the "
                "id and the tenant. If it was just created, try again in a minute."
            )
        return found
    return directory.principal(application.app_id) if application else None


def _application(order: Order, directory: Directory, held: Held | None) -> Application | None:
    if order.app:
        told = directory.application(order.app)
        if told is None:
            raise NotFound(
                f"No app registration in this tenant has the client id {order.app}: check the id. "
                "For a managed identity, give --identity."
            )
        return _read(told, held)
    return _ours(order.new_app, directory, held) if order.new_app else None


def _ours(name: str, directory: Directory, held: Held | None) -> Application | None:
    """
    The app that an earlier run registered, recognised by its certificate.

    By default every member of a tenant may register an app with any name (documented): trusting
    the name could grant the rights to somebody else's app.
    """
    candidates = directory.applications_named(name)
    for client_id in candidates:
        told = directory.application(client_id)
        if told and held and certificate.is_among(held, told):
            return _read(told, held)
    if candidates:
        raise Unusable(
            f"An app called {name} already exists ({candidates[0]}), with another certificate: if "
            "it is yours, give --app with its client id; if not, choose another name."
        )
    return None


def _read(told: Fields, held: Held | None) -> Application:
    return Application(
        told.text("id"),
        told.text("appId"),
        told.text("displayName"),
        has_key=held is not None and certificate.is_among(held, told),
    )
