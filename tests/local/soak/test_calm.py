"""The verdict of a soak is one at rest: what Graph posts late does not decide it."""

from __future__ import annotations

from typing import cast

import pytest

from local.soak.calm import Calm, Unsettled
from local.soak.town import Town
from local.soak.verdict import Row


class Late:
    """A town in which Graph posts a notification while the judge looks."""

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


def test_a_late_notification_does_not_decide():
    """A message that came while the judge looked is worked off, and the judge looks again."""
    town, looks = Late(worked_off=True), 0

    def verdict() -> list[Row]:
        nonlocal looks
        looks += 1
        if looks == 1:
            town.post()
        return [Row("queue photo-sync", str(town.messages), not town.messages)]

    assert calm(town).judged(verdict) == [Row("queue photo-sync", "0")]


def test_what_is_wrong_at_rest_stays_wrong():
    """However often the judge looks, a wrong picture is told."""
    wrong = Row("pictures that are right", "19 of 20", right=False)

    assert calm(Late(worked_off=True)).judged(lambda: [wrong]) == [wrong]


def test_a_message_that_stays_is_told(monkeypatch: pytest.MonkeyPatch):
    """A message that nobody works off is no rest."""
    monkeypatch.setattr("local.soak.progress._STANDSTILL", 0.0)
    town = Late(worked_off=False)
    town.post()

    with pytest.raises(Unsettled, match="1 messages queued"):
        calm(town).judged(lambda: [Row("queue photo-sync", "1", right=False)])
