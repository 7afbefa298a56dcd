"""Rights to administer the directory and sites: scopes and directory roles, or an app's roles."""

from __future__ import annotations

from typing import NamedTuple

from local.m365.entra.tokens import Claims
from local.m365.tenant.admins import APPLICATIONS, CLOUD_APPLICATIONS, GLOBAL, PRIVILEGED, SITES


class Right(NamedTuple):
    """
    What a call requires.

    A person's token needs a scope of *any_of*, and the person one of the directory roles *held_by*
    (empty: every member). An app's token needs a role of *any_of*.
    """

    any_of: frozenset[str]
    held_by: frozenset[str] = frozenset()

    def allows(self, claims: Claims) -> bool:
        if not claims.is_person:
            return bool(claims.roles & self.any_of)
        return bool(claims.scopes & self.any_of) and self.is_held_by(claims)

    def is_held_by(self, claims: Claims) -> bool:
        """Whether the person has a sufficient role; an app needs none."""
        return (
            not claims.is_person or not self.held_by or bool(claims.directory_roles & self.held_by)
        )


_EVERY_ADMIN = frozenset({GLOBAL, PRIVILEGED, APPLICATIONS, CLOUD_APPLICATIONS})
# All documented (facts/graph.md section 8): the scopes of the operations, and the directory roles
# that the documentation names for people.
READ = Right(
    frozenset(
        {
            "Application.Read.All",
            "Application.ReadWrite.All",
            "Directory.Read.All",
            "Directory.AccessAsUser.All",
        }
    )
)
# Whether every member may register apps is a tenant setting: see the switch.
REGISTER = Right(
    frozenset({"Application.ReadWrite.All"}), frozenset({GLOBAL, APPLICATIONS, CLOUD_APPLICATIONS})
)
ASSIGN = Right(frozenset({"AppRoleAssignment.ReadWrite.All"}), _EVERY_ADMIN)
ASSIGN_ON_GRAPH = Right(ASSIGN.any_of, frozenset({GLOBAL, PRIVILEGED}))
# Documented (oAuth2PermissionGrant: list, create; grant admin consent): the delegated scopes, and
# who may consent for every user to those of Microsoft Graph and of an app.
READ_CONSENT = Right(READ.any_of | {"DelegatedPermissionGrant.ReadWrite.All"})
CONSENT = Right(frozenset({"DelegatedPermissionGrant.ReadWrite.All"}), _EVERY_ADMIN)
# Documented (Get site; Create permission): facts/sharepoint.md section 9. Assumed: a person who is
# not a member of the site sees the My Site root.
READ_SITES = Right(
    frozenset(
        {"Sites.Read.All", "Sites.ReadWrite.All", "Sites.Manage.All", "Sites.FullControl.All"}
    )
)
MANAGE_SITES = Right(frozenset({"Sites.FullControl.All"}), frozenset({GLOBAL, SITES}))
