"""The tenant as Graph shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud, HostSession


@pytest.fixture
def reader(m365: Cloud) -> Iterator[HostSession]:
    """An app that may read the directory."""
    app = m365.tenant.apps[ADMIN_APP]
    roles = app.graph_roles | {"Directory.Read.All"}
    m365.tenant.apps[ADMIN_APP] = replace(app, graph_roles=roles)
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def test_organization_and_domains(reader: HostSession):
    """One organization with the tenant's id, its default domain and its initial one."""
    [organization] = reader.get("/organization").json()["value"]
    domains = reader.get("/domains?$select=id,isDefault,isInitial").json()["value"]

    assert (organization["id"], organization["displayName"]) == (TENANT_ID, "Contoso")
    assert [one["name"] for one in organization["verifiedDomains"]] == [d["id"] for d in domains]
    assert domains == [
        {"id": "contoso.com", "isDefault": True, "isInitial": False},
        {"id": "contoso.onmicrosoft.com", "isDefault": False, "isInitial": True},
    ]
    assert reader.get(f"/organization/{TENANT_ID}").json()["id"] == TENANT_ID
    assert reader.get("/domains/Contoso.com").json()["isDefault"] is True
    assert reader.get("/domains/fabrikam.com").status_code == 404
    assert reader.get("/domains?$select=shoeSize").status_code == 400


def test_licences(m365: Cloud, reader: HostSession):
    """The selected properties of each licence, with the number that the switch sets."""
    found = reader.get("/subscribedSkus?$select=skuPartNumber,prepaidUnits").json()["value"]

    assert found[0]["skuPartNumber"] == "SPE_E3"
    assert found[0]["prepaidUnits"]["enabled"] == m365.tenant.switches.licences
    assert "servicePlans" not in found[0]


@pytest.mark.parametrize("path", ["/organization", "/domains", "/subscribedSkus"])
def test_user_roles_do_not_read_the_directory(graph: HostSession, path: str):
    """User.Read.All is not enough (documented)."""
    assert graph.get(path).status_code == 403
