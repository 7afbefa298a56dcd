"""The verdict of a soak is taken at rest, and late notifications do not change it."""

from __future__ import annotations

from typing import cast

import pytest

from local.soak.quiet_phase import QuietPhase, Unsettled
from local.soak.verdict import Row
from local.soak.world import World


class Late:
    """A tenant in which Graph posts a notification during the verdict."""

    def __init__(self, *, processed: bool) -> None:
        self.messages = 0
        self._processed = processed

    def post(self) -> None:
        self.messages = 1

    def queued(self) -> int:
        found = self.messages
        if self._processed:
            self.messages = 0
        return found

    def log(self) -> str:
        return ""


def quiet_phase(world: Late) -> QuietPhase:
    return QuietPhase(cast(World, world), lambda text: None, patience=0)


def test_late_notification():
    """A message that arrives during the verdict is processed, and the verdict taken again."""
    world, verdicts = Late(processed=True), 0

    def verdict() -> list[Row]:
        nonlocal verdicts
        verdicts += 1
        if verdicts == 1:
            world.post()
        return [Row("queue photo-sync", str(world.messages), not world.messages)]

    assert quiet_phase(world).judged(verdict) == [Row("queue photo-sync", "0")]


def test_wrong_at_rest():
    """A wrong picture is reported, however often the verdict is taken."""
    wrong = Row("pictures that are right", "19 of 20", right=False)

    assert quiet_phase(Late(processed=True)).judged(lambda: [wrong]) == [wrong]


def test_message_that_stays_queued(monkeypatch: pytest.MonkeyPatch):
    """If a message is never processed, the cloud is not at rest."""
    monkeypatch.setattr("local.soak.progress._STANDSTILL", 0.0)
    world = Late(processed=False)
    world.post()

    with pytest.raises(Unsettled, match="1 messages queued"):
        quiet_phase(world).judged(lambda: [Row("queue photo-sync", "1", right=False)])
