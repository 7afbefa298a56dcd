"""The console's registration and the people to give access to, as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from admin.grants.console.registration import Role
from admin.terminal.fields import Fields


class Member(NamedTuple):
    """A person, or a group whose members get its roles."""

    id: str
    name: str


class Assigned(NamedTuple):
    """A role that a person or group has."""

    id: str
    member: Member
    role: Role


class Consent(NamedTuple):
    """The scopes of a resource that an admin consented to for everybody."""

    id: str
    resource_id: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Found:
    """Everything a plan depends on; *application* is empty if it does not exist."""

    application: Fields
    principal: Fields
    graph_id: str  # object id of Microsoft Graph's service principal
    assigned: tuple[Assigned, ...] = ()
    consents: tuple[Consent, ...] = ()
    wanted: tuple[tuple[Role, Member], ...] = ()
