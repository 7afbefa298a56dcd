"""The two app registrations of the local tenant, and the rights granted to them."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud.certificates import make_client_certificate

# Exactly the rights that README asks for: PhotoSync must work with these alone.
_LEAST = {
    "graph": ["User.Read.All", "ProfilePhoto.Read.All"],
    "sharepoint": ["User.ReadWrite.All", "Sites.Selected"],
}
# In addition, only if SYNC_GROUP_ID or EXCLUDED_GROUP_ID is set.
_FOR_A_GROUP = {**_LEAST, "graph": [*_LEAST["graph"], "GroupMember.Read.All"]}
# For an admin's own scripts: whatever third-party clients request.
_EVERYTHING = {
    "graph": [
        "Application.Read.All",
        "Directory.Read.All",
        "GroupMember.Read.All",
        "ProfilePhoto.Read.All",
        "ProfilePhoto.ReadWrite.All",
        "Sites.FullControl.All",
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


def make_registrations(
    folder: Path, *, group: bool = False, granted: bool = True
) -> tuple[Registration, Registration]:
    """
    Return PhotoSync's own registration and the admin's, with new keys in *folder*.

    With *group* PhotoSync may read the members of groups; unless *granted*, it may do nothing yet.
    """
    least = _FOR_A_GROUP if group else _LEAST
    roles, site_grant = (least, "write") if granted else ({}, None)
    return (
        _registration(folder, "photosync", roles, site_grant=site_grant),
        _registration(folder, "admin-scripts", _EVERYTHING, site_grant=None),
    )


def console_registration(client_id: str, port: int) -> dict[str, Any]:
    """The simulator's entry for the console, with sign-in on this *port*."""
    return {
        "clientId": client_id,
        "name": "PhotoSync console",
        "web": {
            "redirectUris": [f"https://localhost:{port}/.auth/login/aad/callback"],
            "implicitGrantSettings": {"enableIdTokenIssuance": True},
        },
    }


def _registration(
    folder: Path, name: str, roles: Mapping[str, list[str]], *, site_grant: str | None
) -> Registration:
    client_id = str(uuid.uuid4())
    certificate = make_client_certificate(folder, name)
    config: dict[str, Any] = {
        "clientId": client_id,
        "name": name,
        "certificate": str(certificate),
        "roles": dict(roles),
    }
    if site_grant:
        config["siteGrant"] = site_grant
    return Registration(client_id, certificate, config)
