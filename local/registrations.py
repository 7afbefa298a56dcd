"""The two app registrations of the local tenant, and what an admin granted them."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.certificates import make_client_certificate

# Exactly what README asks an admin to grant: what PhotoSync does must work with these alone.
_LEAST = {
    "graph": ["User.Read.All", "ProfilePhoto.Read.All"],
    "sharepoint": ["User.ReadWrite.All", "Sites.Selected"],
}
# An admin's own scripts: every role that the simulator knows.
_EVERYTHING = {
    "graph": [
        "Directory.Read.All",
        "GroupMember.Read.All",
        "ProfilePhoto.Read.All",
        "ProfilePhoto.ReadWrite.All",
        "User.Read.All",
        "User.ReadWrite.All",
    ],
    "sharepoint": ["Sites.FullControl.All", "User.ReadWrite.All"],
}


@dataclass(frozen=True)
class Registration:
    """One app registration: its id, its key and certificate, its entry in the simulator."""

    client_id: str
    certificate: Path
    config: dict[str, Any]


def make_registrations(folder: Path) -> tuple[Registration, Registration]:
    """Return PhotoSync's own registration and the admin's, with new keys in *folder*."""
    return (
        _registration(folder, "photosync", _LEAST, site_grant="write"),
        _registration(folder, "admin-scripts", _EVERYTHING, site_grant=None),
    )


def _registration(
    folder: Path, name: str, roles: dict[str, list[str]], *, site_grant: str | None
) -> Registration:
    client_id = str(uuid.uuid4())
    certificate = make_client_certificate(folder, name)
    config: dict[str, Any] = {
        "clientId": client_id,
        "certificate": str(certificate),
        "roles": roles,
    }
    if site_grant:
        config["siteGrant"] = site_grant
    return Registration(client_id, certificate, config)
