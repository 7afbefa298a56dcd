"""
Which application roles PhotoSync needs, and which ones a token contains.

Facts: sharepoint.md section 4, graph.md sections 2, 4 and 5. The services decide about tokens; this
only predicts their decision for an admin.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import NamedTuple

# `appidacr` of a client that authenticated by certificate, managed identity or assertion.
BY_CERTIFICATE = "2"


class Need(NamedTuple):
    """A purpose and the roles of which any one is enough, the least privileged first."""

    purpose: str
    any_of: tuple[str, ...]


_USERS = Need(
    "to read users and to receive change notifications",
    ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"),
)
_PHOTOS = Need(
    "to read photos",
    ("ProfilePhoto.Read.All", "ProfilePhoto.ReadWrite.All", "User.Read.All", "User.ReadWrite.All"),
)
_MEMBERS = Need(
    "to read the members of SYNC_GROUP_ID or EXCLUDED_GROUP_ID",
    ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All", "Directory.ReadWrite.All"),
)
EVERY_SITE = "Sites.FullControl.All"
FILES_NEED = Need("to write pictures", ("Sites.Selected", EVERY_SITE))
PROFILES_NEED = Need("to write profiles", ("User.ReadWrite.All",))


def needs_of_graph(*, group: bool) -> tuple[Need, ...]:
    """What is needed from Microsoft Graph; more if a *group* restricts the scope."""
    return (_USERS, _PHOTOS, _MEMBERS) if group else (_USERS, _PHOTOS)


class Claims(NamedTuple):
    """A token's roles, and in `proof` how its client authenticated; empty if it does not say."""

    roles: frozenset[str]
    proof: str


def read(token: str) -> Claims | None:
    """The claims of *token*, unverified; None if it is not a JWT."""
    try:
        payload = token.split(".")[1]
        fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles = frozenset(str(role) for role in fields.get("roles") or ())
        proof = str(fields.get("appidacr") or fields.get("azpacr") or "")
    except (IndexError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return Claims(roles, proof)


def missing(needs: Collection[Need], roles: Collection[str]) -> list[str]:
    """For each need that *roles* do not meet, the least privileged role that would, and why."""
    unmet = [need for need in needs if not set(need.any_of) & set(roles)]
    return [f"{need.any_of[0]} {need.purpose}" for need in unmet]
