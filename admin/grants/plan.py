"""The steps from what exists to what is wanted. Pure: it calls nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from admin.grants.found import Assignment, Found, Resource, Site
from admin.grants.step import ENTRA, State, Step
from admin.grants.wanted import SITE_ROLE, Service, Wanted
from admin.terminal.problems import Unsound

HERE = "this machine"
# These give more rights on a site than write.
_MORE = ("manage", "fullcontrol", "owner")


class MakeCertificate(NamedTuple):
    """Write a new key and its certificate to the order's file."""


class Register(NamedTuple):
    """Register an app with the certificate."""

    name: str


class AddKey(NamedTuple):
    """Add the certificate to the registration."""


class CreatePrincipal(NamedTuple):
    """Create the service principal of the registration."""


class Assign(NamedTuple):
    """Grant an app role to the principal."""

    resource: Resource
    role_id: str


class Unassign(NamedTuple):
    """Revoke an app role."""

    assignment: Assignment
    service: Service


class Allow(NamedTuple):
    """Grant the principal write on a site."""

    site_id: str


class Change(NamedTuple):
    """Change its permission on a site to write."""

    site_id: str
    permission_id: str


class Forbid(NamedTuple):
    """Revoke a permission on a site."""

    site_id: str
    permission_id: str


Act = (
    MakeCertificate
    | Register
    | AddKey
    | CreatePrincipal
    | Assign
    | Unassign
    | Allow
    | Change
    | Forbid
)


@dataclass(frozen=True)
class Registration:
    """For a registration: *new* is the name of an app to register, *file* its certificate's."""

    new: str = ""
    file: str = ""
    has_file: bool = False


def to_grant(wanted: Iterable[Wanted], found: Found, registration: Registration) -> list[Step]:
    """Every step from what exists to what is wanted, and what is granted beyond that."""
    wanted = tuple(wanted)
    return [
        *_identity(found, registration),
        *(_role(one, found) for one in wanted),
        *(step for site in found.sites for step in _site(site)),
        *_surplus(wanted, found),
    ]


def to_revoke(grantable: Iterable[Wanted], found: Found) -> list[Step]:
    """Revoke every right that a grant gives; also lists what is left on a site."""
    purposes = {(one.service, one.role): one.purpose for one in grantable}
    steps = []
    for held in found.assignments:
        service = _service(held, found)
        if service and (service, held.role) in purposes:
            purpose = purposes[service, held.role]
            act = Unassign(held, service)
            steps.append(Step(service.name, held.role, purpose, State.GRANTED, act))
    return [*steps, *(step for site in found.sites for step in _site_away(site))]


def _identity(found: Found, registration: Registration) -> Iterator[Step]:
    """The certificate, the registration and its service principal, if requested."""
    if registration.file:
        about = "private key and certificate"
        yield _thing(HERE, registration.file, about, registration.has_file, MakeCertificate())
    if registration.new:
        about = "app registration with this certificate"
        yield _thing(ENTRA, registration.new, about, False, Register(registration.new))
    elif found.application and registration.file:
        about, has_key = "certificate on the app registration", found.application.has_key
        yield _thing(ENTRA, found.application.name, about, has_key, AddKey())
    if registration.new or found.application or found.principal is None:
        about, is_there = "to hold rights", found.principal is not None
        yield _thing(ENTRA, "service principal", about, is_there, CreatePrincipal())


def _thing(on: str, what: str, purpose: str, is_there: bool, act: Act) -> Step:
    state = State.THERE if is_there else State.MISSING
    return Step(on, what, purpose, state, None if is_there else act)


def _role(wanted: Wanted, found: Found) -> Step:
    on, what, purpose = wanted.service.name, wanted.role, wanted.purpose
    resource = next(one for one in found.resources if one.service == wanted.service)
    role_id = resource.role_ids.get(wanted.role)
    if role_id is None:
        problem = Unsound(f"{on} has no role {what} in this tenant: check --cloud.")
        return Step(on, what, purpose, State.UNKNOWN, problem=problem)
    # Compare both ids: two services may use the same role id.
    held = {(one.resource_id, one.role_id) for one in found.assignments}
    return _thing(on, what, purpose, (resource.id, role_id) in held, Assign(resource, role_id))


def _site(site: Site) -> Iterator[Step]:
    purpose = "to write pictures there, with Sites.Selected"
    if site.problem:
        yield Step(site.url, SITE_ROLE, purpose, State.UNKNOWN, problem=site.problem)
        return
    roles = {role for one in site.permissions for role in one.roles}
    writes = bool(roles & {SITE_ROLE, *_MORE})
    # Changing a shared permission would let other apps write, too.
    own = next((one.id for one in site.permissions if not one.shared), None)
    act: Act = Allow(site.id) if own is None else Change(site.id, own)
    yield _thing(site.url, SITE_ROLE, purpose, writes, act)
    for role in _MORE:
        if role in roles:
            yield Step(site.url, role, "more than write", State.SURPLUS)


def _site_away(site: Site) -> Iterator[Step]:
    purpose = "to write pictures there"
    if site.problem:
        yield Step(site.url, SITE_ROLE, purpose, State.UNKNOWN, problem=site.problem)
    for one in site.permissions:
        if one.roles == (SITE_ROLE,) and not one.shared:
            yield Step(site.url, SITE_ROLE, purpose, State.GRANTED, Forbid(site.id, one.id))
        else:
            roles = ", ".join(one.roles) or "a permission"
            about = "shared with other apps" if one.shared else "not granted by this command"
            yield Step(site.url, roles, f"{about}: left alone", State.LEFT)


def _surplus(wanted: tuple[Wanted, ...], found: Found) -> Iterator[Step]:
    asked = {(one.service, one.role) for one in wanted}
    for held in found.assignments:
        if (_service(held, found), held.role) not in asked:
            yield Step(held.resource_name, held.role, "PhotoSync does not need it", State.SURPLUS)


def _service(held: Assignment, found: Found) -> Service | None:
    return next((one.service for one in found.resources if one.id == held.resource_id), None)
