"""How many licences with SharePoint there are, if Graph says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused, ServiceDown
from shared.graph.licences import Licences
from shared.microsoft365.http import Http
from tests.doubles.web import answer, http, in_turn
from tests.local.m365.simulator import ADMIN_APP, cloud


def licences(fields: Any, status: int = 200) -> Licences:
    return Licences(http(in_turn(answer(fields, status))))


def sku(enabled: Any, *plans: str, of: str = "User") -> dict[str, Any]:
    named = [{"servicePlanName": plan} for plan in plans]
    return {"appliesTo": of, "prepaidUnits": {"enabled": enabled}, "servicePlans": named}


def test_only_licences_with_sharepoint_count():
    """Free plans have a million units without SharePoint; company licences are no user's."""
    skus = [
        sku(900, "EXCHANGE_S_ENTERPRISE", "SHAREPOINTENTERPRISE", "SHAREPOINTWAC"),
        sku(600, "sharepointdeskless"),
        sku(1_000_000, "FLOW_P2_VIRAL", "SHAREPOINTWAC"),
        sku(10, "SHAREPOINTSTORAGE", of="Company"),
        sku(-1, "SHAREPOINTSTANDARD"),
    ]

    assert licences({"value": skus}).count() == 1500
    assert licences({"value": []}).count() == 0


@pytest.mark.parametrize("status", [401, 403])
def test_missing_role(status: int):
    """Without the role the number is unknown, which is no error."""
    assert licences({"error": {"code": "Authorization_RequestDenied"}}, status).count() is None


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"value": {}}, 200, Refused),
        ({"value": [{}]}, 200, Refused),
        ({"value": [sku("many", "SHAREPOINTSTANDARD")]}, 200, Refused),
        ({}, 500, ServiceDown),
    ],
)
def test_malformed_answer(fields: Any, status: int, error: type[Exception]):
    """What is no list of licences is not counted."""
    with pytest.raises(error):
        licences(fields, status).count()


def test_simulated_tenant(tmp_path: Path):
    """The strict simulator answers an app that has the role."""
    with cloud(tmp_path) as m365:
        app = m365.tenant.apps[ADMIN_APP]
        roles = app.graph_roles | {"Directory.Read.All"}
        m365.tenant.apps[ADMIN_APP] = replace(app, graph_roles=roles)
        m365.tenant.switches.licences = 4321
        assert Licences(Http("graph", m365.tenant.urls.graph, m365)).count() == 4321
