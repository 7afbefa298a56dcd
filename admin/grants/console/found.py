"""What there is of the console's registration, and of the people who are to open it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from admin.grants.console.registration import Role
from admin.terminal.fields import Fields


class Member(NamedTuple):
    """Somebody of the directory: a person, or a group whose members have what it has."""

    id: str
    name: str


class Assigned(NamedTuple):
    """A role that a person or group has."""

    id: str
    member: Member
    role: Role


class Consent(NamedTuple):
    """What everybody's sign-in may ask of a resource without being asked themselves."""

    id: str
    resource_id: str
    scopes: frozenset[str]


@dataclass(frozen=True)
class Found:
    """Everything a plan depends on; the empty *application* is one that is not there."""

    application: Fields
    principal: Fields
    graph_id: str  # object id of Microsoft Graph's service principal
    assigned: tuple[Assigned, ...] = ()
    consents: tuple[Consent, ...] = ()
    wanted: tuple[tuple[Role, Member], ...] = ()
