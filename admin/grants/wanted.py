"""The minimal rights that PhotoSync needs in Microsoft Graph and SharePoint, for `grant`."""

from __future__ import annotations

from typing import NamedTuple

from shared.microsoft365 import app_roles
from shared.microsoft365.app_roles import Need


class Service(NamedTuple):
    """A resource that defines app roles (facts: graph.md section 8, sharepoint.md section 4)."""

    app_id: str
    name: str


GRAPH = Service("00000003-0000-0000-c000-000000000000", "Microsoft Graph")
SHAREPOINT = Service("00000003-0000-0ff1-ce00-000000000000", "SharePoint")
SERVICES = (GRAPH, SHAREPOINT)

# The app's permission on the root of the My Site host, with Sites.Selected.
SITE_ROLE = "write"

# The documented ids (same sections). The id that Graph returns is granted; these are only compared
# with it.
DOCUMENTED_IDS = {
    (GRAPH, "User.Read.All"): "df021288-bdef-4463-88db-98f22de89214",
    (GRAPH, "ProfilePhoto.Read.All"): "e24d31aa-e1ab-4c80-85fe-23018690335d",
    (GRAPH, "GroupMember.Read.All"): "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    (SHAREPOINT, "User.ReadWrite.All"): "741f803b-c850-494e-b5df-cde7c675a1ca",
    (SHAREPOINT, "Sites.Selected"): "20d37865-089c-4dee-8c41-6967602d4ac8",
    (SHAREPOINT, "Sites.FullControl.All"): "678536fe-1083-478a-9c59-b99265e6b0d3",
}


class Wanted(NamedTuple):
    """One app role, and its purpose."""

    service: Service
    role: str
    purpose: str


def wanted(*, group: bool, full_control: bool) -> tuple[Wanted, ...]:
    """The roles to grant: the least for each need, or on request the one for all sites."""
    graph = [_least(GRAPH, need) for need in app_roles.needs_of_graph(group=group)]
    profiles, files = (
        _least(SHAREPOINT, need) for need in (app_roles.PROFILES_NEED, app_roles.FILES_NEED)
    )
    if full_control:
        files = files._replace(role=app_roles.EVERY_SITE)
    return (*graph, profiles, files)


def grantable() -> tuple[Wanted, ...]:
    """Every role that `grant` can give; `--revoke` revokes these."""
    both = (wanted(group=True, full_control=choice) for choice in (False, True))
    return tuple(dict.fromkeys(role for roles in both for role in roles))


def _least(service: Service, need: Need) -> Wanted:
    return Wanted(service, need.any_of[0], need.purpose)
