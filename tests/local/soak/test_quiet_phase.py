"""A soak waits until nothing is left that could change its verdict."""

from __future__ import annotations

from typing import cast

import pytest

from local.soak.quiet_phase import QuietPhase, Unsettled
from local.soak.world import World


class Tenant:
    """
    A world, and its own watcher, in which Graph has yet to retry *undelivered* POSTs, and *orphans*
    are yet to end; each leaves a message.
    """

    def __init__(self, *, undelivered: int = 0, orphans: int = 0, processed: bool = True) -> None:
        self.watcher = self
        self._undelivered = undelivered
        self._orphans = orphans
        self._processed = processed
        self._messages = 0

    def undelivered(self) -> int:
        found, self._undelivered = self._undelivered, 0
        self._messages += found
        return found

    def orphans(self) -> int:
        found, self._orphans = self._orphans, 0
        self._messages += found
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


@pytest.mark.parametrize("world", [Tenant(undelivered=1), Tenant(orphans=1)])
def test_late_message(world: Tenant):
    """At the end nothing is left that could queue a message, and no message."""
    quiet_phase(world).end()

    assert (world.undelivered(), world.orphans(), world.queued()) == (0, 0, 0)


def test_message_that_stays_queued(monkeypatch: pytest.MonkeyPatch):
    """If a message is never processed, the cloud is not at rest."""
    monkeypatch.setattr("local.soak.progress._STANDSTILL", 0.0)

    with pytest.raises(Unsettled, match="1 messages queued"):
        quiet_phase(Tenant(processed=False)).begin()
