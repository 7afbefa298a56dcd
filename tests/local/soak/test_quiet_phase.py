"""A soak waits until nothing is left that could change its verdict."""

from __future__ import annotations

from typing import cast

import pytest

from local.soak.quiet_phase import QuietPhase, Unsettled
from local.soak.world import World


class Tenant:
    """A world, and its own watcher, in which Graph has yet to retry *undelivered* POSTs."""

    def __init__(self, *, undelivered: int = 0, processed: bool = True) -> None:
        self.watcher = self
        self._undelivered = undelivered
        self._processed = processed
        self._messages = 0

    def undelivered(self) -> int:
        found = self._undelivered
        self._messages += found
        self._undelivered = 0
        return found

    def type_into_queue(self, text: str, queue: str) -> None:
        self._messages += 1

    def queued(self) -> int:
        found = self._messages
        if self._processed:
            self._messages = 0
        return found

    def log(self) -> str:
        return ""


def quiet_phase(world: Tenant) -> QuietPhase:
    return QuietPhase(cast(World, world), lambda text: None, patience=0)


def test_late_notification():
    """Nothing is left at the end: a notification is posted first, and then its message is run."""
    world = Tenant(undelivered=1)
    quiet_phase(world).end()

    assert (world.undelivered(), world.queued()) == (0, 0)


def test_message_that_stays_queued(monkeypatch: pytest.MonkeyPatch):
    """If a message is never processed, the cloud is not at rest."""
    monkeypatch.setattr("local.soak.progress._STANDSTILL", 0.0)

    with pytest.raises(Unsettled, match="1 messages queued"):
        quiet_phase(Tenant(processed=False)).begin()
