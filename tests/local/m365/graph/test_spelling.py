"""Spellings of Graph's paths."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from local.m365.graph import delta, groups, photos, principals, users
from local.m365.graph.spelling import Spelling
from local.m365.tenant.tenant import Tenant

TENANT = Tenant("5a2b7c1e-0d7f-4a55-9a0e-6c1a52f4be01")
KNOWN = [
    route for area in (delta, groups, photos, principals, users) for route in area.routes(TENANT)
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/V1.0/Users/", "/v1.0/users"),
        ("/v1.0//USERS('Anne@x')/Photo/$VALUE", "/v1.0/users('Anne@x')/photo/$value"),
        (
            "/v1.0/groups/AB/transitivemembers/MICROSOFT.graph.user",
            "/v1.0/groups/AB/transitiveMembers/microsoft.graph.user",
        ),
        (
            "/v1.0/SERVICEPRINCIPALS(appId='AB')/approleassignments",
            "/v1.0/servicePrincipals(appId='AB')/appRoleAssignments",
        ),
        ("/v1.0/USERS/Delta()", "/v1.0/users/delta()"),
        ("/v1.0///users", "/v1.0///users"),
        ("/v1.0/users//photo", "/v1.0/users//photo"),
    ],
)
def test_names_in_any_case(path: str, expected: str):
    """Names of routes ignore case; ids and UPNs stay unchanged."""
    assert Spelling(Starlette(routes=KNOWN)).usual(path) == expected
