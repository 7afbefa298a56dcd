"""Runs a soak's events on time: changes, deaths, forgeries, sweeps, a lapsed subscription."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence

import requests

from local.soak import plan
from local.soak.plan import Event
from local.soak.world import World, forged_items

_TOLD_EVERY = 15.0
# Far longer than a new worker or a new host takes to start.
_COMES_BACK = 60.0
_PAUSE = 0.1


class FaultPhase:
    """
    One run through the events.

    Child processes end with the thread that started them, so everything runs in the caller's
    thread.
    """

    def __init__(self, world: World, pictures: Sequence[bytes], say: Callable[[str], None]) -> None:
        self._world = world
        self._pictures = pictures
        self._say = say
        self._forged_items = forged_items(world)
        self._waiting: list[Event] = []
        self._up = True
        self.done: Counter[str] = Counter()
        self._deeds: dict[str, Callable[[Event], object]] = {
            plan.KILL: lambda event: self._kill(),
            plan.START: lambda event: self._start(),
            plan.KILL_WORKER: lambda event: self._retry(world.stack.kill_worker),
            plan.FORGE: lambda event: self._retry(lambda: self._forge(event.user)),
            plan.SWEEP: lambda event: world.watcher.type_into_queue("sweep", "photo-upkeep"),
            plan.AUDIT: lambda event: self._retry(self._order_audit),
            plan.DAMAGE: lambda event: world.damage(event.user, event.picture),
            plan.LAPSE: lambda event: world.end_subscription(),
        }

    def play(self, events: Sequence[Event]) -> None:
        """Run each event at its time, or as soon as the previous ones are done."""
        began = told = time.monotonic()
        for event in events:
            # The plan sets the times; running ahead would change the storm.
            time.sleep(max(0.0, began + event.at - time.monotonic()))
            self._do(event)
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                self._say(self._progress())
        self._say(self._progress())

    def _do(self, event: Event) -> None:
        if event.kind in {plan.FORGE, plan.AUDIT, plan.KILL_WORKER} and not self._up:
            self._waiting.append(event)
            return
        self._deeds.get(event.kind, self._change)(event)
        self.done[event.kind] += 1

    def _kill(self) -> None:
        self._world.stack.kill_host()
        self._up = False

    def _change(self, event: Event) -> None:
        picture = None if event.kind == plan.REMOVE else self._pictures[event.picture]
        self._world.change_photo(event.user, picture)

    def _start(self) -> None:
        self._world.stack.start_host()
        self._up = True
        waiting, self._waiting = self._waiting, []
        for event in waiting:
            self._do(event)

    def _retry(self, deed: Callable[[], bool]) -> None:
        """Repeat *deed* until it reports success: a worker or a host may just have died."""
        ends = time.monotonic() + _COMES_BACK
        while not deed():
            if time.monotonic() > ends:
                raise RuntimeError(f"The app did not come back within {_COMES_BACK:.0f} s")
            # A restart in another process sends no signal.
            time.sleep(_PAUSE)

    def _order_audit(self) -> bool:
        """Order an audit that repairs; False without an answer, or if the worker died meanwhile."""
        try:
            self._world.console.order("audit", repair=True)
        except requests.ConnectionError:
            return False
        except requests.HTTPError as error:
            if error.response.status_code != 500:
                raise
            return False
        return True

    def _forge(self, number: int) -> bool:
        """
        Post a forged item; every fifth one also lacks the function key, and is refused by the host.
        """
        item = self._forged_items[number % len(self._forged_items)]
        user_id = self._world.bystanders[number % len(self._world.bystanders)]
        filled = json.loads(json.dumps(item).replace("{id}", user_id))
        key = "guess" if number % 5 == 4 else self._world.at.key
        try:
            status = self._world.post(filled, key=key)
        except requests.ConnectionError:
            return False
        if status not in {202, 401, 500}:
            raise RuntimeError(
                "The webhook answered a forged notification with neither 202 nor 401"
            )
        return status != 500

    def _progress(self) -> str:
        changes = sum(self.done[kind] for kind in plan.CHANGES)
        return (
            f"{changes} changes, {self.done[plan.KILL]} kills, "
            f"{self.done[plan.KILL_WORKER]} of the worker alone, "
            f"{self.done[plan.FORGE]} forgeries, "
            f"{self.done[plan.SWEEP]} sweeps, {self.done[plan.DAMAGE]} damages, "
            f"{self.done[plan.AUDIT]} audits; {self._world.queued()} messages queued"
        )
