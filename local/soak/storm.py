"""Plays a soak's events at their moments: changes, deaths, forgeries, sweeps, a lapse."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence

from local.soak import plan
from local.soak.plan import Event
from local.soak.town import Town, forged_items

_TOLD_EVERY = 15.0


class Storm:
    """
    One run through the events.

    Children end with the thread that started them, so that all of it happens in the caller's.
    """

    def __init__(self, town: Town, pictures: Sequence[bytes], say: Callable[[str], None]) -> None:
        self._town = town
        self._pictures = pictures
        self._say = say
        self._forged_items = forged_items(town)
        self._waiting: list[Event] = []
        self._up = True
        self.done: Counter[str] = Counter()
        self.refused = 0
        self._deeds: dict[str, Callable[[Event], object]] = {
            plan.KILL: lambda event: self._kill(),
            plan.START: lambda event: self._start(),
            plan.FORGE: lambda event: self._forge(event.user),
            plan.SWEEP: lambda event: town.watcher.type_into_queue("sweep", "photo-upkeep"),
            plan.AUDIT: lambda event: town.console.order("audit", repair=True),
            plan.DAMAGE: lambda event: town.damage(event.user, event.picture),
            plan.LAPSE: lambda event: town.end_subscription(),
        }

    def play(self, events: Sequence[Event]) -> None:
        """Do each event at its moment, or as soon as those before it are done."""
        began = told = time.monotonic()
        for event in events:
            # The plan says when; a storm that hurries would be another one.
            time.sleep(max(0.0, began + event.at - time.monotonic()))
            self._do(event)
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                self._say(self._progress())
        self._say(self._progress())

    def _do(self, event: Event) -> None:
        if event.kind in {plan.FORGE, plan.AUDIT} and not self._up:
            self._waiting.append(event)
            return
        self._deeds.get(event.kind, self._change)(event)
        self.done[event.kind] += 1

    def _kill(self) -> None:
        self._town.stack.kill_host()
        self._up = False

    def _change(self, event: Event) -> None:
        picture = None if event.kind == plan.REMOVE else self._pictures[event.picture]
        self._town.change_photo(event.user, picture)

    def _start(self) -> None:
        self._town.stack.start_host()
        self._up = True
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._do(event)

    def _forge(self, number: int) -> None:
        """Every fifth forger lacks the function key too, and is turned away at the door."""
        item = self._forged_items[number % len(self._forged_items)]
        user_id = self._town.bystanders[number % len(self._town.bystanders)]
        filled = json.loads(json.dumps(item).replace("{id}", user_id))
        key = "guess" if number % 5 == 4 else self._town.at.key
        if self._town.post(filled, key=key) not in {202, 401}:
            raise RuntimeError(
                "The webhook answered a forged notification with neither 202 nor 401"
            )

    def _progress(self) -> str:
        changes = sum(self.done[kind] for kind in plan.CHANGES)
        return (
            f"{changes} changes, {self.done[plan.KILL]} kills, {self.done[plan.FORGE]} forgeries, "
            f"{self.done[plan.SWEEP]} sweeps, {self.done[plan.DAMAGE]} damages, "
            f"{self.done[plan.AUDIT]} audits; {self._town.queued()} messages queued"
        )
