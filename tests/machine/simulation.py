"""Plays a seed day by day, and looks after each day whether all is as it must be."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from shared.sweeping import sweep_rules
from tests.machine import history
from tests.machine.fate import Storm
from tests.machine.history import DAY, HOUR, INSTANCES, SKEW, TROUBLED, TROUBLES, Event, Temper
from tests.machine.instance import Parts
from tests.machine.world import World

# With so few users the brake would never be seen.
BRAKE_USERS = 2
_LONGEST_WAIT = 40 * HOUR


class Failure(AssertionError):
    """Something is wrong, in so many words."""


class Simulation:
    """One seed with the app made of these parts."""

    def __init__(self, seed: int, parts: Parts, allowed: frozenset[str] | None = None) -> None:
        self._seed = seed
        self.temper = Temper.of(seed)
        # Of the day that it is, from 0.
        self.number = 0
        self.world = World(seed, parts, self.temper, allowed)
        self._deeds: dict[str, Callable[[Event], object]] = {
            "change": self._change,
            "flip": self._flip,
            "type": lambda event: self._type(event, force=False),
            "force": lambda event: self._type(event, force=True),
            "enable": self._enable,
            "find": lambda event: self._queue(event, "sweep"),
            "damage": self._damage,
            "trouble": self._trouble,
            "leave": self._leave,
            "restore": lambda event: self._restore(event, anew=False),
            "restore-anew": lambda event: self._restore(event, anew=True),
            "die": lambda event: self.world.end_instance(event.number % INSTANCES),
            "storm": self._storm,
            "audit": lambda event: self.world.instances[0].audit.order(repair=True),
            "sweep": lambda event: self._upkeep("sweep"),
            "missed": lambda event: self.world.post({"lifecycleEvent": "missed"}),
            "lapse": lambda event: self.world.services.subscriptions.lose(),
            "removed": lambda event: self._removed(),
            "reauthorize": lambda event: self._lifecycle("reauthorizationRequired"),
            "renew": lambda event: self._upkeep("renew"),
            "lose-upkeep": self._lose_upkeep,
            "double": self._double,
            "clear": lambda event: self._clear(),
            "erase": self._erase,
            "outage": self._outage,
            "clock": self._clock,
        }

    def play(self, days: int) -> float:
        """So many days; how many it took in the end. Raises Failure."""
        with _as_it_is_here():
            try:
                self._begin()
                for self.number in range(days):
                    self._day(self.number)
            finally:
                self.world.end()
        return self.days

    @property
    def days(self) -> float:
        """How many have passed."""
        return self.world.seconds / DAY

    def _begin(self) -> None:
        """Whoever has a photo is shown with it."""
        world = self.world
        self._upkeep("renew")
        for user_id in world.exchange.everybody:
            if user_id not in world.exchange.everybody[: self.temper.without]:
                world.exchange.put(user_id, world.exchange.album(user_id)[0])
            self._order(user_id, "replay")
        self._become_quiet()
        self._check(world.judge.missed(set(world.exchange.users)))

    def _day(self, number: int) -> None:
        world, began = self.world, self.world.seconds
        world.is_calm, world.timers = False, self.temper.timers
        for event in history.day(self._seed, number, self.temper):
            world.run_until(began + event.at)
            if world.history.happens(event.key, str(event)):
                self._deeds[event.kind](event)
        world.run_until(began + TROUBLED)
        self._calm_down()
        self._become_quiet()
        self._check_told()
        world.timers = True
        world.run_until(max(began + DAY, world.seconds + 2 * HOUR * self.temper.hours_between))
        self._look_after_everybody()
        self._check_end()

    def _calm_down(self) -> None:
        world = self.world
        world.is_calm, world.storms, world.lost_after = True, [], 0
        self._end_outage()
        world.services.subscriptions.ghosts.clear()
        # Somebody may have lost the message of the timer.
        self._upkeep("renew")

    def _become_quiet(self) -> None:
        """Work everything off, and what becomes of it."""
        world = self.world
        until = world.seconds + _LONGEST_WAIT
        while not world.is_quiet():
            world.run_until(min(until, world.next_at))
            self._check(world.judge.wrongs)
            if world.seconds >= until:
                raise Failure(f"messages wait for ever: {world.queues[0].messages}")

    def _look_after_everybody(self) -> None:
        """
        Sweeps and audits as a person orders them, each with all that becomes of it. Of the sweeps
        the first may only end one that was interrupted, and a removal takes two looks.
        """
        world = self.world
        for _ in range(3):
            world.run_until(world.seconds + HOUR + 1)
            self._upkeep("sweep")
            self._become_quiet()
            world.instances[0].sweep.release_removals()
            self._become_quiet()
        for _ in range(2):
            world.run_until(world.seconds + HOUR + 1)
            world.instances[0].audit.order(repair=True)
            self._become_quiet()
            world.instances[0].audit.repairs.release()
            self._become_quiet()

    def _check_told(self) -> None:
        """Whoever was told of the last change has it, without any sweep."""
        world, judge = self.world, self.world.judge
        judge.forgive()
        told = {each for each in judge.told if judge.state(each).status != "failed"}
        told -= world.exchange.troubles.keys() | judge.damaged | judge.erased
        self._check(judge.missed(told & set(world.exchange.photos)))
        self._check(judge.unsubscribed())
        if not self.temper.timers:
            self._check(judge.unswept())

    def _check_end(self) -> None:
        world, judge = self.world, self.world.judge
        troubled = world.exchange.troubles
        self._check(judge.missed(set(world.exchange.users) - troubled.keys()))
        self._check(judge.unsaid(set(troubled) & set(world.exchange.users)))
        troubled.clear()
        self._look_after_everybody()
        self._check(judge.missed(set(world.exchange.users)))
        self._check(judge.remains())
        self._check(judge.overlooked())
        self._check(judge.unsubscribed())
        judge.all_is_well()

    def _check(self, wrongs: object) -> None:
        found = [*self.world.judge.wrongs, *_listed(wrongs)]
        if found:
            raise Failure(found[0])

    def _user(self, event: Event) -> str:
        return self.world.exchange.everybody[event.user]

    def _is_ours(self, user_id: str) -> bool:
        """Whether anybody can know of a picture: where a person took that away, it stays."""
        judge = self.world.judge
        return user_id not in judge.erased or judge.state(user_id).picture_url != ""

    def _change(self, event: Event) -> None:
        """A photo is changed, changed back or removed; Graph tells soon, late, twice or never."""
        world, user_id = self.world, self._user(event)
        now = world.exchange.photos.get(user_id)
        album = [*world.exchange.album(user_id)[:2], *([None] if self._is_ours(user_id) else [])]
        others = [each for each in album if each != now]
        chosen = others[event.number % len(others)]
        world.change(user_id, lambda: world.exchange.put(user_id, chosen))
        self._tell(event, user_id)

    def _flip(self, event: Event) -> None:
        """A photo is changed, and changed back a moment later; Graph tells of both."""
        exchange, user_id = self.world.exchange, self._user(event)
        before = exchange.photos.get(user_id)
        if user_id not in exchange.users or before is None:
            return
        other = next(each for each in exchange.album(user_id) if each != before)
        for delay, photo in ((0.0, other), (0.5 + event.number, before)):
            self.world.after(delay, lambda photo=photo: self._put(user_id, photo))

    def _put(self, user_id: str, photo: bytes) -> None:
        self.world.change(user_id, lambda: self.world.exchange.put(user_id, photo))
        self.world.notify(user_id)

    def _tell(self, event: Event, user_id: str) -> None:
        for delay in ((0.1,), (0.1, 0.1), (5.0,), (), (event.seconds, 0.1))[event.number % 5]:
            self.world.after(delay, lambda: self.world.notify(user_id))

    def _enable(self, event: Event) -> None:
        user_id = self._user(event)
        if user_id in self.world.exchange.users:
            enabled = not self.world.exchange.is_in_scope(user_id)
            self.world.change(user_id, lambda: self.world.exchange.enable(user_id, enabled))
            self._tell(event, user_id)

    def _type(self, event: Event, *, force: bool) -> None:
        """A person has a user looked at again."""
        if force:
            self.world.judge.disturbed.add(self._user(event))
        self._order(self._user(event), "replay", force=force)

    def _queue(self, event: Event, reason: str) -> None:
        self._order(self._user(event), reason)

    def _order(self, user_id: str, reason: str, *, force: bool = False) -> None:
        fields = {"userId": user_id, "reason": reason, "force": force, "attempt": 1}
        text = json.dumps({**fields, "firstQueuedAt": self.world.now.isoformat()})
        self.world.services.photo_sync.put(text)

    def _upkeep(self, text: str) -> None:
        self.world.services.photo_upkeep.put(text)

    def _damage(self, event: Event) -> None:
        """A stranger changes one of the three files, or the profile; nobody tells."""
        world, user_id = self.world, self._user(event)
        if world.sharepoint.urls[user_id] and len(world.sharepoint.files[user_id]) == 3:
            world.sharepoint.damage(user_id, event.number % 4)
            world.judge.damaged.add(user_id)

    def _trouble(self, event: Event) -> None:
        """One mailbox refuses, breaks, vanishes or answers oddly, until it is well again."""
        user_id, trouble = self._user(event), TROUBLES[event.number % len(TROUBLES)]
        self.world.judge.told.discard(user_id)
        self.world.exchange.troubles.pop(user_id, None)
        if trouble:
            self.world.exchange.troubles[user_id] = trouble

    def _leave(self, event: Event) -> None:
        """A user is deleted, of which Graph tells, or does not."""
        world, user_id = self.world, self._user(event)
        is_known = user_id in world.exchange.users and self._is_ours(user_id)
        if is_known and len(world.exchange.users) > 1:
            world.change(user_id, lambda: world.exchange.leave(user_id))
            if event.number % 2:
                world.notify(user_id, "deleted")

    def _restore(self, event: Event, *, anew: bool) -> None:
        """Somebody is restored, with the profile of old or a new one without a picture."""
        world = self.world
        if not world.exchange.left:
            return
        user_id = next(iter(world.exchange.left))
        # A profile outlives its user for weeks, in which a sweep has looked.
        if anew and world.judge.state(user_id).left_since:
            world.sharepoint.urls[user_id] = ""
        # Whoever comes back out of scope is copied once more when that is over.
        world.judge.disturbed.add(user_id)
        world.change(user_id, lambda: world.exchange.restore(user_id))
        self._tell(event, user_id)

    def _storm(self, event: Event) -> None:
        """Many of a service's calls fail for a while."""
        service = ("graph", "sharepoint", "storage")[event.number % 3]
        rate = (0.1, 0.3, 0.9)[event.number // 4]
        until = self.world.seconds + event.seconds
        self.world.storms.append(Storm(event.key, service, rate, until))

    def _removed(self) -> None:
        """Graph takes the subscription away, and says so."""
        self._lifecycle("subscriptionRemoved")
        self.world.services.subscriptions.lose(told=True)

    def _lifecycle(self, kind: str) -> None:
        self.world.post({"lifecycleEvent": kind})

    def _lose_upkeep(self, event: Event) -> None:
        """A message of upkeep that is yet to come will be lost altogether."""
        self.world.lost_after = event.number % 4 + 1

    def _double(self, event: Event) -> None:
        """The host delivers a message twice."""
        for queue in self.world.queues:
            for message in queue.messages[: 1 + event.number]:
                queue.put(message.body)

    def _clear(self) -> None:
        """A person clears the queue of users."""
        queue = self.world.services.photo_sync
        for message in queue.messages:
            user_id = json.loads(message.body)["userId"]
            self.world.judge.told.discard(user_id)
            self.world.judge.erased.add(user_id)
        queue.messages.clear()

    def _erase(self, event: Event) -> None:
        """A person deletes the state of a user."""
        user_id = self._user(event)
        if user_id in self.world.exchange.photos and user_id in self.world.exchange.users:
            self.world.services.blobs.texts.pop(user_id, None)
            self.world.judge.erased.add(user_id)

    def _outage(self, event: Event) -> None:
        """Every mailbox seems to be without a photo."""
        self.world.exchange.outage = event.number + 1
        self.world.after(event.seconds, self._end_outage)

    def _end_outage(self) -> None:
        if self.world.exchange.outage:
            self.world.exchange.outage = 0
            # Whoever looked meanwhile was misled.
            self.world.judge.told.clear()

    def _clock(self, event: Event) -> None:
        """The clock of an instance is set."""
        skew = (-SKEW / 2, 0.0, SKEW / 2)[event.number // 4]
        self.world.set_clock(event.number % INSTANCES, skew)


def _listed(wrongs: object) -> list[str]:
    assert isinstance(wrongs, list | Iterator)
    return list(wrongs)


@contextmanager
def _as_it_is_here() -> Iterator[None]:
    """Without a log, which nobody reads, and with a brake for few users."""
    log = logging.getLogger("photosync")
    was, log.disabled = log.disabled, True
    try:
        with mock.patch.object(sweep_rules, "BRAKE_USERS", BRAKE_USERS):
            yield
    finally:
        log.disabled = was
