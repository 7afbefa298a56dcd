"""What a watcher waits for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from local.outside.tenant_client import TenantClient
from local.outside.watcher import NotSettled, Watcher

STORAGE = "UseDevelopmentStorage=true"


class Graph:
    """Has *deliveries* POSTs to make, one less each time it is asked."""

    def __init__(self, deliveries: int) -> None:
        self._deliveries = deliveries

    def control(self, method: str, path: str) -> dict[str, Any]:
        assert (method, path) == ("GET", "/health")
        self._deliveries -= 1
        return {"deliveries": self._deliveries + 1}


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    """One without messages, of a Graph with two notifications to post."""
    found = Watcher(STORAGE, cast(TenantClient, Graph(2)), Path())
    monkeypatch.setattr(found, "messages_left", lambda: 0)
    return found


def test_notifications_are_waited_for(watcher: Watcher):
    """Graph may post one again when everything else is at rest, and cause another run."""
    checks: list[int] = []
    watcher.until(list, progress=checks.append, pause=0.0)

    assert len(checks) == 3


def test_notification_that_is_never_delivered(watcher: Watcher):
    """The error says how many there are."""
    with pytest.raises(NotSettled, match="2 POSTs with notifications"):
        watcher.until(list, seconds=-1.0)
