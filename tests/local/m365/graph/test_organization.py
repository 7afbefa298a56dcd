"""The tenant as Graph shows it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests

from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud


@pytest.fixture
def reader(m365: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[requests.Session]:
    """An app that may read the directory; its token is its own."""
    app = m365.tenant.apps[ADMIN_APP]
    roles = app.graph_roles | {"Directory.Read.All"}
    monkeypatch.setitem(m365.tenant.apps, ADMIN_APP, replace(app, graph_roles=roles))
    scope = [f"{m365.tenant.urls.graph}/.default"]
    token = m365.client().acquire_token_for_client(scope)["access_token"]
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        yield session


def test_organization_and_domains(m365: Cloud, reader: requests.Session):
    """One organization, its id the tenant's; its default domain and its initial one."""
    base = f"{m365.tenant.urls.graph}/v1.0"
    [organization] = reader.get(f"{base}/organization").json()["value"]
    domains = reader.get(f"{base}/domains?$select=id,isDefault,isInitial").json()["value"]

    assert (organization["id"], organization["displayName"]) == (TENANT_ID, "Contoso")
    assert [one["name"] for one in organization["verifiedDomains"]] == [d["id"] for d in domains]
    assert domains == [
        {"id": "contoso.com", "isDefault": True, "isInitial": False},
        {"id": "contoso.onmicrosoft.com", "isDefault": False, "isInitial": True},
    ]
    assert reader.get(f"{base}/organization/{TENANT_ID}").json()["id"] == TENANT_ID
    assert reader.get(f"{base}/domains/Contoso.com").json()["isDefault"] is True
    assert reader.get(f"{base}/domains/fabrikam.com").status_code == 404
    assert reader.get(f"{base}/domains?$select=shoeSize").status_code == 400


def test_licences(m365: Cloud, reader: requests.Session):
    """What was bought, with the service plans in it; of it what is selected."""
    url = f"{m365.tenant.urls.graph}/v1.0/subscribedSkus?$select=skuPartNumber,prepaidUnits"
    found = reader.get(url).json()["value"]

    assert found[0]["skuPartNumber"] == "SPE_E3"
    assert found[0]["prepaidUnits"]["enabled"] == m365.tenant.switches.licences
    assert "servicePlans" not in found[0]


def test_who_may_not_read_the_directory(m365: Cloud):
    """User.Read.All is not enough for any of it (documented)."""
    with m365.session(m365.tenant.urls.graph) as session:
        answers = [
            session.get(f"{m365.tenant.urls.graph}/v1.0/{name}")
            for name in ("organization", "domains", "subscribedSkus")
        ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
