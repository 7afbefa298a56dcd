"""What there is in the tenant before anything is granted: plain facts, as Graph told them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from admin.grants.wanted import Service
from admin.terminal.problems import Problem


class Principal(NamedTuple):
    """A service principal; `kind` is ManagedIdentity, Application or another word of Entra's."""

    id: str
    app_id: str
    name: str
    kind: str


class Resource(NamedTuple):
    """A service as it is in this tenant: its object id, and the ids of its app roles by name."""

    service: Service
    id: str
    role_ids: Mapping[str, str]


class Assignment(NamedTuple):
    """One app role that is granted; `role` is its name, or its id where nobody tells the name."""

    id: str
    resource_id: str
    resource_name: str
    role_id: str
    role: str


class SitePermission(NamedTuple):
    """What the app may do on a site; *shared* if the same permission is other apps' too."""

    id: str
    roles: tuple[str, ...]
    shared: bool = False


@dataclass(frozen=True)
class Site:
    """The root of a My Site host; *problem* where it could not be looked at."""

    url: str
    id: str = ""
    permissions: tuple[SitePermission, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True)
class Application:
    """An app registration; *has_key* if the certificate in hand is one of its own."""

    id: str
    app_id: str
    name: str
    has_key: bool = False


@dataclass(frozen=True)
class Found:
    """Everything a plan depends on; None, or none, is what is not there, or was not asked for."""

    resources: tuple[Resource, ...]
    assignments: tuple[Assignment, ...] = ()
    principal: Principal | None = None
    application: Application | None = None
    sites: tuple[Site, ...] = ()
