"""People who sign in, with their directory roles, and the public clients that they sign in with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

GLOBAL = "Global Administrator"
PRIVILEGED = "Privileged Role Administrator"
APPLICATIONS = "Application Administrator"
CLOUD_APPLICATIONS = "Cloud Application Administrator"
SITES = "SharePoint Administrator"

# Documented (Entra, built-in roles): the template ids, which a token's `wids` contains.
TEMPLATES = {
    GLOBAL: "62e90394-69f5-4237-9190-012177145e10",
    PRIVILEGED: "e8611ab8-c189-46e8-94e1-60213ab1f814",
    APPLICATIONS: "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    CLOUD_APPLICATIONS: "158c047a-c907-4556-b7ef-446551a6b5f7",
    SITES: "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
}

AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
PUBLIC_CLIENTS = {AZURE_CLI, COMMAND_LINE_TOOLS}

# Reported (facts/graph.md section 9): the Azure CLI's fixed scopes for Graph.
AZURE_CLI_SCOPES = (
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "Group.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
)


@dataclass(frozen=True)
class Person:
    """A person who can sign in, with the directory roles that are active."""

    name: str
    roles: frozenset[str] = frozenset()


@dataclass
class DeviceCode:
    """
    One sign-in on another device.

    *person* is set once a person has signed in. *app* is the client id of the app that the token is
    for; empty means Graph.
    """

    user_code: str
    client_id: str
    scopes: tuple[str, ...]
    expires: datetime
    person: Person | None = None
    declined: bool = False
    app: str = ""
