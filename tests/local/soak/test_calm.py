"""The verdict of a soak is taken at rest, and late notifications do not change it."""

from __future__ import annotations

from typing import cast

import pytest

from local.soak.calm import Calm, Unsettled
from local.soak.town import Town
from local.soak.verdict import Row


class Late:
    """A town in which Graph posts a notification during the verdict."""

    def __init__(self, *, worked_off: bool) -> None:
        self.messages = 0
        self._worked_off = worked_off

    def post(self) -> None:
        self.messages = 1

    def queued(self) -> int:
        found = self.messages
        if self._worked_off:
            self.messages = 0
        return found

    def log(self) -> str:
        return ""


def calm(town: Late) -> Calm:
    return Calm(cast(Town, town), lambda text: None, patience=0)


def test_late_notification():
    """A message that arrives during the verdict is processed, and the verdict taken again."""
    town, looks = Late(worked_off=True), 0

    def verdict() -> list[Row]:
        nonlocal looks
        looks += 1
        if looks == 1:
            town.post()
        return [Row("queue photo-sync", str(town.messages), not town.messages)]

    assert calm(town).judged(verdict) == [Row("queue photo-sync", "0")]


def test_wrong_at_rest():
    """A wrong picture is reported, however often the verdict is taken."""
    wrong = Row("pictures that are right", "19 of 20", right=False)

    assert calm(Late(worked_off=True)).judged(lambda: [wrong]) == [wrong]


def test_message_that_stays_queued(monkeypatch: pytest.MonkeyPatch):
    """If a message is never processed, the cloud is not at rest."""
    monkeypatch.setattr("local.soak.progress._STANDSTILL", 0.0)
    town = Late(worked_off=False)
    town.post()

    with pytest.raises(Unsettled, match="1 messages queued"):
        calm(town).judged(lambda: [Row("queue photo-sync", "1", right=False)])
