"""The steps for the console's registration. Pure: it calls nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from admin.grants.console import registration
from admin.grants.console.found import Assigned, Consent, Found, Member
from admin.grants.console.registration import NAME, SCOPE, SIGN_IN_SCOPES, Role
from admin.grants.step import ENTRA, State, Step


class Register(NamedTuple):
    """Register the app."""

    callback: str


class CorrectRegistration(NamedTuple):
    """Correct the registration."""

    callback: str


class CreatePrincipal(NamedTuple):
    """Create the service principal of the registration."""


class RequireAssignment(NamedTuple):
    """Require an assignment to sign in."""


class GrantConsent(NamedTuple):
    """Consent for everybody; an empty *resource_id* is the console itself."""

    resource_id: str
    scopes: tuple[str, ...]


class AssignRole(NamedTuple):
    """Assign a role to a person or group."""

    role: Role
    member: Member


class Unassign(NamedTuple):
    """Remove a role from a person or group."""

    assigned: Assigned


class RevokeConsent(NamedTuple):
    """Withdraw a consent."""

    consent: Consent


def to_grant(found: Found, callback: str) -> list[Step]:
    """Every step from what exists to what is wanted, and who else has a role."""
    principal = found.principal.text("id")
    is_strict = found.principal.flag("appRoleAssignmentRequired")
    return [
        *_registration(found, callback),
        _thing("service principal", "to allow sign-in", bool(principal), CreatePrincipal()),
        _thing(
            "assignment required",
            "only assigned people can sign in",
            is_strict,
            RequireAssignment(),
        ),
        _consent(found, found.graph_id, SIGN_IN_SCOPES, "to sign in"),
        _consent(found, "", (SCOPE,), "to sign in from a terminal"),
        *_roles(found),
    ]


def to_revoke(found: Found, members: set[str]) -> list[Step]:
    """Remove the roles of *members* (object ids); if empty, all roles and the consents."""
    steps = [
        Step(one.member.name, one.role.value, one.role.purpose, State.GRANTED, Unassign(one))
        for one in found.assigned
        if not members or one.member.id.casefold() in members
    ]
    if members:
        return steps
    return steps + [
        Step(ENTRA, " ".join(sorted(one.scopes)), "consent", State.GRANTED, RevokeConsent(one))
        for one in found.consents
    ]


def _registration(found: Found, callback: str) -> Iterator[Step]:
    if not found.application:
        yield _thing(NAME, "app registration with two roles", False, Register(callback))
        yield _thing(
            "identifier, Azure CLI", "to ask for tokens", False, CorrectRegistration(callback)
        )
        return
    missing = registration.differences(found.application, callback)
    name = found.application.text("displayName")
    yield _thing(
        name, ", ".join(missing) or "app registration", not missing, CorrectRegistration(callback)
    )


def _consent(found: Found, resource_id: str, scopes: tuple[str, ...], purpose: str) -> Step:
    resource = resource_id or found.principal.text("id")
    given = {
        scope
        for one in found.consents
        if one.resource_id == resource and resource
        for scope in one.scopes
    }
    what = f"consent to {' '.join(scopes)}"
    return _thing(what, purpose, given >= set(scopes), GrantConsent(resource_id, scopes))


def _roles(found: Found) -> Iterator[Step]:
    held = {(one.role, one.member.id.casefold()) for one in found.assigned}
    asked = {(role, member.id.casefold()) for role, member in found.wanted}
    for role, member in found.wanted:
        is_there = (role, member.id.casefold()) in held
        act = None if is_there else AssignRole(role, member)
        state = State.THERE if is_there else State.MISSING
        yield Step(member.name, role.value, role.purpose, state, act)
    for one in found.assigned:
        if (one.role, one.member.id.casefold()) not in asked:
            yield Step(one.member.name, one.role.value, one.role.purpose, State.THERE)


def _thing(what: str, purpose: str, is_there: bool, act: object) -> Step:
    state = State.THERE if is_there else State.MISSING
    return Step(ENTRA, what, purpose, state, None if is_there else act)
