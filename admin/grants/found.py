"""What exists in the tenant before anything is granted, as Graph returned it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from admin.grants.wanted import Service
from admin.terminal.problems import Problem


class Principal(NamedTuple):
    """A service principal; `kind` is Entra's type: ManagedIdentity, Application or another."""

    id: str
    app_id: str
    name: str
    kind: str


class Resource(NamedTuple):
    """A service in this tenant: its object id, and the ids of its app roles by name."""

    service: Service
    id: str
    role_ids: Mapping[str, str]


class Assignment(NamedTuple):
    """One granted app role; `role` is its name, or its id if the name is unknown."""

    id: str
    resource_id: str
    resource_name: str
    role_id: str
    role: str


class SitePermission(NamedTuple):
    """The app's permission on a site; *shared* if it also applies to other apps."""

    id: str
    roles: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class Site:
    """The root of a My Site host; *problem* if it could not be read."""

    url: str
    id: str = ""
    permissions: tuple[SitePermission, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True)
class Application:
    """An app registration; *has_key* if it has the certificate in the file."""

    id: str
    app_id: str
    name: str
    has_key: bool = False


@dataclass(frozen=True)
class Found:
    """Everything a plan depends on; None or empty if it does not exist or was not requested."""

    resources: tuple[Resource, ...]
    assignments: tuple[Assignment, ...] = ()
    principal: Principal | None = None
    application: Application | None = None
    sites: tuple[Site, ...] = ()
