"""The app roles that Graph and SharePoint define, as far as they are needed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Resource(NamedTuple):
    """A service that defines app roles; *key* is its name in the simulator."""

    key: str
    app_id: str
    name: str
    roles: Mapping[str, str]  # value -> id


# Documented (permissions reference; facts/graph.md section 8), except ProfilePhoto.ReadWrite.All,
# whose id is reported.
GRAPH = Resource(
    "graph",
    "00000003-0000-0000-c000-000000000000",
    "Microsoft Graph",
    {
        "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
        "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
        "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
        "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
        "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
        "ProfilePhoto.Read.All": "e24d31aa-e1ab-4c80-85fe-23018690335d",
        "ProfilePhoto.ReadWrite.All": "27baa7f6-5dfb-4ba8-b1d3-1e812c143013",
        "Sites.FullControl.All": "a82116e5-55eb-4c41-a434-62fe8a61c773",
        "Sites.Selected": "883ea226-0bf2-4a8f-9f9d-92c9162a727d",
        "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
        "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    },
)
# Documented: those in facts/sharepoint.md section 4; the others are reported.
SHAREPOINT = Resource(
    "sharepoint",
    "00000003-0000-0ff1-ce00-000000000000",
    "Office 365 SharePoint Online",
    {
        "Sites.FullControl.All": "678536fe-1083-478a-9c59-b99265e6b0d3",
        "Sites.Manage.All": "9bff6588-13f2-4c48-bbf2-ddab62256b36",
        "Sites.Read.All": "d13f72ca-a275-4b96-b789-48ebcc4da984",
        "Sites.ReadWrite.All": "fbcd29d2-fcca-4405-aded-518d457caae4",
        "Sites.Selected": "20d37865-089c-4dee-8c41-6967602d4ac8",
        "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
        "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    },
)
RESOURCES = {resource.key: resource for resource in (GRAPH, SHAREPOINT)}
# The roles of a permission on a site; all but the first allow writing.
SITE_ROLES = ("read", "write", "manage", "fullcontrol", "owner")
SITE_WRITERS = SITE_ROLES[1:]
