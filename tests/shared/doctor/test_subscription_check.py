"""Whether Graph will notify us of changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.doctor import subscription_check
from shared.doctor.examination import Finding
from shared.errors import ServiceDown
from shared.subscription.keeper import NAME
from shared.uninstalling.uninstall_log import UninstallLog, UninstallLogs
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import NOON, Clock
from tests.shared.subscription.deployment import STATE, URL, Graph

LATER = NOON + timedelta(days=20)


@pytest.fixture
def graph() -> Graph:
    return Graph(Clock())


def probe(graph: Graph, url: str = URL, documents: MemoryDocuments | None = None) -> Finding:
    return subscription_check.probe(graph, documents or MemoryDocuments(), url, NOON)


def test_alive(graph: Graph):
    """A live subscription with our URL is fine."""
    graph.make(URL, STATE, LATER)

    assert probe(graph) == Finding("It is valid until 2026-02-20 12:00 UTC, and its URL is ours.")


@pytest.mark.parametrize("shown", ["", URL.partition("?")[0]])
def test_address_not_shown(graph: Graph, shown: str):
    """Graph may hide the key or the whole URL."""
    one = graph.make(URL, STATE, LATER)
    graph.live[one.id] = replace(one, notification_url=shown)

    assert probe(graph).action == ""


def test_none(graph: Graph):
    """Without a subscription only sweeps find changes."""
    found = probe(graph)

    assert found.detail == "There is no subscription, so only sweeps find changes."
    assert "manage.py renew" in found.action


def test_none_while_uninstalled(graph: Graph):
    """After an uninstall, renewing is not suggested."""
    documents = MemoryDocuments()
    now = NOON.isoformat()
    ordered = UninstallLog("20260131T120000-00000001", False, now, now, now)
    UninstallLogs(documents).write(ordered, after=None)

    found = probe(graph, documents=documents)
    assert "is uninstalled" in found.detail
    assert found.action == "To restore it, run manage.py uninstall --cancel."


def test_list_that_leaves_it_out(graph: Graph):
    """A subscription missing from Graph's list is found by its stored id."""
    one = graph.make(URL, STATE, LATER)
    graph.shows = lambda all_: []
    documents = MemoryDocuments()
    documents.write(NAME, {"id": one.id}, after=None)

    assert probe(graph, documents=documents).action == ""


@pytest.mark.parametrize("change", [{"expires_at": NOON}, {"resource": "groups"}])
def test_expired_or_for_another_resource(graph: Graph, change: dict[str, Any]):
    """An expired subscription does not count, nor does one for another resource."""
    one = graph.make(URL, STATE, LATER)
    graph.live[one.id] = replace(one, **change)

    assert "There is no subscription" in probe(graph).detail


def test_elsewhere(graph: Graph):
    """For another deployment's subscription the host is named, but not its key."""
    graph.make("https://other.contoso.com/api/notifications?code=secret", STATE, LATER)

    assert probe(graph).detail == "The subscription points at other.contoso.com, not at this app."


def test_another_key(graph: Graph):
    """After the key has changed, the old subscription calls with the wrong key."""
    graph.make(URL, STATE, LATER)
    found = probe(graph, URL.replace("first-key", "second-key"))

    assert "with the wrong key" in found.detail
    assert "key=" not in found.detail


def test_last_attempt_is_reported(graph: Graph):
    """The result of the last attempt to create one is added."""
    documents = MemoryDocuments()
    documents.put(NAME, {"detail": "Graph could not reach us."})

    assert probe(graph, documents=documents).detail.endswith("reported: Graph could not reach us.")
    documents.put(NAME, {})
    assert "last try" not in probe(graph, documents=documents).detail


def test_storage_down(graph: Graph):
    """An outage of storage is reported by another check."""
    documents = MemoryDocuments()
    documents.error = ServiceDown("Storage is down.")

    assert "Storage" not in probe(graph, documents=documents).detail


def test_no_webhook(graph: Graph):
    """Without WEBHOOK_URL there can be no subscription, and Graph is not asked."""
    graph.error = ServiceDown("Not asked.")

    assert "Set WEBHOOK_URL" in probe(graph, "").action
