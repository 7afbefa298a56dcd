"""Rounds of a delta query of users (facts/graph.md section 11)."""

from __future__ import annotations

from typing import Any

import pytest

from local.m365.graph import delta
from tests.local.m365.simulator import Cloud, HostSession, refusal


def followed(graph: HostSession, url: str, **headers: str) -> tuple[list[Any], str]:
    """The changes on all pages of a round, and the link to the next round."""
    changes: list[Any] = []
    while True:
        body = graph.get(url, headers=headers).json()
        changes += body["value"]
        if "@odata.deltaLink" in body:
            return changes, body["@odata.deltaLink"]
        url = body["@odata.nextLink"]


def test_rounds(m365: Cloud, graph: HostSession, monkeypatch: pytest.MonkeyPatch):
    """First all users, in pages; then the new, changed, deleted and permanently deleted ones."""
    monkeypatch.setattr(delta, "PAGE", 2)
    anne, bert, cleo, dora = (m365.add_user(name) for name in ("anne", "bert", "cleo", "dora"))
    first, link = followed(graph, "/users/delta?$select=displayName,jobTitle")
    graph.patch(f"/users/{anne.id}", json={"jobTitle": "Pilot"})
    for path in (f"users/{bert.id}", f"users/{cleo.id}", f"directory/deletedItems/{cleo.id}"):
        graph.delete(f"/{path}")
    emil = m365.add_user("emil")

    changes, after = followed(graph, link)
    minimal, _ = followed(graph, link, Prefer="return=minimal")

    everyone = (anne, bert, cleo, dora)
    assert first == [{"displayName": one.display_name, "id": one.id} for one in everyone]
    assert {one.pop("id"): one for one in changes} == {
        anne.id: {"displayName": "Anne", "jobTitle": "Pilot"},
        bert.id: {"@removed": {"reason": "changed"}},
        cleo.id: {"@removed": {"reason": "deleted"}},
        emil.id: {"displayName": "Emil"},
    }
    assert {"id": anne.id, "jobTitle": "Pilot"} in minimal
    assert followed(graph, after)[0] == []


def test_tracked_changes(m365: Cloud, graph: HostSession):
    """Only selected properties of the users in the filter, and never a photo (documented)."""
    anne, bert = m365.add_user("anne"), m365.add_user("bert")
    _, link = followed(graph, f"/users/delta()?$select=mail&$filter=id eq '{anne.id}'")
    anne.attributes["jobTitle"], anne.photo = "Pilot", None
    bert.mail = "new@contoso.com"

    unchanged, link = followed(graph, link)
    anne.mail = ""
    changed, _ = followed(graph, link)

    assert (unchanged, changed) == ([], [{"id": anne.id, "mail": None}])


def test_from_now_on(m365: Cloud, graph: HostSession):
    """`$deltatoken=latest` returns no users; the next round has only later changes."""
    m365.add_user("anne")
    changes, link = followed(graph, "/users/microsoft.graph.delta()?$deltatoken=latest")
    bert = m365.add_user("bert")

    assert (changes, [one["id"] for one in followed(graph, link)[0]]) == ([], [bert.id])


@pytest.mark.parametrize(
    "query",
    ["$top=1", "$orderby=displayName", "$expand=manager", "$filter=mail eq 'a'"]
    + ["$filter=" + " or ".join(f"id eq '{number}'" for number in range(51))],
)
def test_options_that_are_refused(graph: HostSession, query: str):
    """A delta query has no page size and no order, and its filter at most fifty ids."""
    assert graph.get(f"/users/delta?{query}").status_code == 400


def test_unknown_or_expired_token(m365: Cloud, graph: HostSession, monkeypatch: pytest.MonkeyPatch):
    """After a week, or if unknown: 410, and the URL to start again."""
    _, link = followed(graph, "/users/delta")
    monkeypatch.setattr(m365.tenant, "skew", m365.tenant.skew + delta.LIFE * 1.01)

    for url in (link, "/users/delta?$deltatoken=other"):
        answer = graph.get(url)
        assert refusal(answer) == (410, "syncStateNotFound")
        assert followed(graph, answer.headers["Location"])[0] == []
