"""The records that a tenant consists of. No rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from cryptography.x509 import Certificate


@dataclass(frozen=True)
class Urls:
    """Base URLs of the hosts, without a trailing slash; also the audiences of their tokens."""

    login: str = ""
    graph: str = ""
    my: str = ""
    admin: str = ""
    root: str = ""
    control: str = ""
    # The two routes to hosts with real names; empty without real names.
    proxy: str = ""
    names: str = ""


@dataclass
class Photo:
    """The photo in Exchange. Its ETag is new at every upload (I, facts/graph.md section 1)."""

    content: bytes
    content_type: str
    width: int
    height: int
    etag: str
    changed_at: datetime


@dataclass
class Profile:
    """What the user profile service stores, except names that are derived from the user."""

    properties: dict[str, str] = field(default_factory=dict)


@dataclass
class User:
    """One account in Entra, with or without a mailbox and a SharePoint profile."""

    id: str
    user_principal_name: str
    display_name: str
    mail: str
    account_enabled: bool = True
    user_type: str = "Member"
    mailbox: str = "online"  # or "none", or "on-premises"
    photo: Photo | None = None
    profile: Profile | None = None
    personal_host: str = ""  # host of the personal site, if it is not at home
    sharepoint_name: str = ""  # the UPN that SharePoint uses until it learns the current one
    aliases: list[str] = field(default_factory=list)  # further addresses of the mailbox
    other_mails: list[str] = field(default_factory=list)
    manager: str = ""  # object id
    attributes: dict[str, Any] = field(default_factory=dict)  # shown only by Graph: jobTitle …


@dataclass
class Group:
    """`members` are ids of users and of groups, in lower case."""

    members: set[str]
    display_name: str = ""
    visibility: str | None = None
    security_enabled: bool = True


@dataclass
class File:
    """A file in a library of a -my site, with exactly the bytes that were uploaded."""

    name: str
    content: bytes
    etag: str
    created: datetime
    modified: datetime
    unique_id: str
    version: int = 1


@dataclass
class Folder:
    """A folder of a -my site; file names are casefolded, since SharePoint ignores case."""

    path: str
    unique_id: str
    created: datetime
    files: dict[str, File] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]


class Role(NamedTuple):
    """A role that was granted to an app on Graph or SharePoint."""

    client_id: str
    resource: str
    name: str


class Key(NamedTuple):
    """A certificate of an app registration, as in Graph's keyCredentials."""

    id: str
    certificate: Certificate
    name: str


@dataclass(frozen=True)
class App:
    """An app registration, or a managed identity (which has neither certificate nor secret)."""

    client_id: str
    certificate: Certificate | None = None
    secret: str | None = field(default=None, repr=False)
    graph_roles: frozenset[str] = frozenset()
    sharepoint_roles: frozenset[str] = frozenset()
    managed_identity: bool = False
    name: str = "App"
    keys: tuple[Key, ...] = ()  # besides `certificate`: those uploaded through Graph
    has_principal: bool = True  # a registration without one cannot sign in
    # Other properties of an app that people sign in to, as Graph shows them: web, api, appRoles …
    settings: Mapping[str, Any] = field(default_factory=dict)
    requires_assignment: bool = False  # only people with a role can sign in


class Assigned(NamedTuple):
    """A role of a registration, assigned to a person or a group."""

    client_id: str
    role_id: str
    member: str  # object id, in lower case


@dataclass
class Consent:
    """The scopes that a client may use on a resource for every user (oAuth2PermissionGrant)."""

    client_id: str
    resource_app_id: str
    scopes: frozenset[str]


@dataclass
class Subscription:
    """A change-notification subscription as Graph stores it (D, facts/graph.md section 2)."""

    id: str
    app_id: str
    resource: str
    change_type: str
    notification_url: str
    expires: datetime
    client_state: str | None = None
    lifecycle_url: str | None = None
    latest_tls: str = "v1_2"
    patched: datetime | None = None
    reauthorized: datetime | None = None
