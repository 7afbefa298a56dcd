"""Rounds of a delta query of users (facts/graph.md section 11)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.m365.graph import delta
from tests.local.m365.simulator import Cloud


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def base(m365: Cloud) -> str:
    return f"{m365.tenant.urls.graph}/v1.0/users"


def followed(graph: requests.Session, url: str, **headers: str) -> tuple[list[Any], str]:
    """What all pages of a round tell, and the link to the next round."""
    told: list[Any] = []
    while True:
        body = graph.get(url, headers=headers).json()
        told += body["value"]
        if "@odata.deltaLink" in body:
            return told, body["@odata.deltaLink"]
        url = body["@odata.nextLink"]


def test_rounds(m365: Cloud, graph: requests.Session, monkeypatch: pytest.MonkeyPatch):
    """First everybody, in pages; then who is new, changed, deleted, or deleted for good."""
    monkeypatch.setattr(delta, "PAGE", 2)
    anne, bert, cleo, dora = (m365.add_user(name) for name in ("anne", "bert", "cleo", "dora"))
    first, link = followed(graph, f"{base(m365)}/delta?$select=displayName,jobTitle")
    graph.patch(f"{base(m365)}/{anne.id}", json={"jobTitle": "Pilot"})
    graph.delete(f"{base(m365)}/{bert.id}")
    graph.delete(f"{base(m365)}/{cleo.id}")
    graph.delete(f"{m365.tenant.urls.graph}/v1.0/directory/deletedItems/{cleo.id}")
    emil = m365.add_user("emil")

    changes, after = followed(graph, link)
    minimal, _ = followed(graph, link, Prefer="return=minimal")

    assert first == [
        {"displayName": one.display_name, "id": one.id} for one in (anne, bert, cleo, dora)
    ]
    expected: list[Any] = [
        {"id": anne.id, "displayName": "Anne", "jobTitle": "Pilot"},
        {"id": bert.id, "@removed": {"reason": "changed"}},
        {"id": cleo.id, "@removed": {"reason": "deleted"}},
        {"id": emil.id, "displayName": "Emil"},
    ]
    assert {one["id"]: one for one in changes} == {one["id"]: one for one in expected}
    assert {"id": anne.id, "jobTitle": "Pilot"} in minimal
    assert followed(graph, after)[0] == []


def test_what_is_tracked(m365: Cloud, graph: requests.Session):
    """Only what was selected, only who was asked for, and never a photo (documented)."""
    anne, bert = m365.add_user("anne"), m365.add_user("bert")
    _, link = followed(graph, f"{base(m365)}/delta()?$select=mail&$filter=id eq '{anne.id}'")
    anne.attributes["jobTitle"], anne.photo = "Pilot", None
    bert.mail = "new@contoso.com"

    unchanged, link = followed(graph, link)
    anne.mail = ""
    changed, _ = followed(graph, link)

    assert (unchanged, changed) == ([], [{"id": anne.id, "mail": None}])


def test_from_now_on(m365: Cloud, graph: requests.Session):
    """`$deltatoken=latest` tells nobody, and knows everybody."""
    m365.add_user("anne")
    told, link = followed(graph, f"{base(m365)}/microsoft.graph.delta()?$deltatoken=latest")
    bert = m365.add_user("bert")

    assert (told, [one["id"] for one in followed(graph, link)[0]]) == ([], [bert.id])


@pytest.mark.parametrize(
    "query",
    ["$top=1", "$orderby=displayName", "$expand=manager", "$filter=mail eq 'a'"]
    + ["$filter=" + " or ".join(f"id eq '{number}'" for number in range(51))],
)
def test_options_that_are_refused(m365: Cloud, graph: requests.Session, query: str):
    """A delta query takes neither a page size nor an order, and fifty ids for a filter."""
    assert graph.get(f"{base(m365)}/delta?{query}").status_code == 400


def test_token_that_is_too_old(
    m365: Cloud, graph: requests.Session, monkeypatch: pytest.MonkeyPatch
):
    """After a week, or of somebody else: 410, and where to begin again."""
    _, link = followed(graph, f"{base(m365)}/delta")
    monkeypatch.setattr(m365.tenant, "skew", m365.tenant.skew + delta.LIFE * 1.01)

    for url in (link, f"{base(m365)}/delta?$deltatoken=other"):
        answer = graph.get(url)
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "syncStateNotFound")
        assert followed(graph, answer.headers["Location"])[0] == []
