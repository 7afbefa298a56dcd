"""A tenant, the app in several instances, and the host between them, under one clock."""

from __future__ import annotations

import heapq
import itertools
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.errors import PhotoSyncError
from shared.messages.upkeep_message import LIFECYCLE, SWEEP, SWEEP_PAGE
from shared.settings.webhook import WebhookSettings
from shared.webhook.notifications import Accepted, accept
from tests.doubles.at_once import backwards, in_turn
from tests.machine.fate import Fate, Storm
from tests.machine.history import HOUR, INSTANCES, History, Temper
from tests.machine.instance import Instance, Parts, Services
from tests.machine.jobs import GO, Died, Job, Order
from tests.machine.judge import Judge
from tests.machine.sharepoint import Desk, SharePoint
from tests.machine.storage import Blobs, MemoryQueue, Message
from tests.machine.subscriptions import Subscriptions
from tests.machine.tenant import Exchange

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
_WEBHOOK = WebhookSettings("tenant", "secret")
_PARKED_EVERY = 300.0
# By how much a machine's clock may run too fast: a kernel corrects no more (Linux, adjtimex: 500
# parts per million).
_DRIFT = 0.0005
# Of whom Graph tells in the same POST.
_OTHERS = 11


class World:
    """Everything, and what happens next."""

    def __init__(
        self, seed: int, parts: Parts, temper: Temper, allowed: frozenset[str] | None = None
    ) -> None:
        self.seconds = 0.0
        self._seed = seed
        self._parts = parts
        self._temper = temper
        self.history = History(lambda: f"day {self.seconds // 86400:.0f} {self.now:%T}", allowed)
        self._next: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count(1)
        self._keys: set[str] = set()
        self._skews = list(temper.skews)
        # Who is at work, on what message, and in which instance.
        self._jobs: dict[Job, tuple[MemoryQueue, Message, int]] = {}
        self._fates: dict[Job, Fate] = {}
        # Runs that the host takes for dead.
        self._orphans: dict[Job, int] = {}
        # While it is calm nothing befalls anybody.
        self.is_calm = True
        self.timers = True
        self.storms: list[Storm] = []
        # So many messages of upkeep from now one is lost; 0: none.
        self.lost_after = 0
        self.services = self._built_services()
        self.sharepoint = SharePoint(
            lambda user_id, job: self.judge.wrote(user_id, job), self.exchange.name_of
        )
        self.judge = Judge(self.services, self.sharepoint)
        self.instances = [self._started(number) for number in range(INSTANCES)]
        self.after(HOUR, self._tick)

    @property
    def now(self) -> datetime:
        """The time that Microsoft 365, storage and the host agree on."""
        return MIDNIGHT + timedelta(seconds=self.seconds)

    @property
    def between_sweeps(self) -> float:
        """So many seconds pass from one sweep of the timer's to the next."""
        return HOUR * self._temper.hours_between

    @property
    def exchange(self) -> Exchange:
        return self.services.exchange

    @property
    def queues(self) -> tuple[MemoryQueue, MemoryQueue]:
        return self.services.photo_sync, self.services.photo_upkeep

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something in so many seconds."""
        heapq.heappush(self._next, (self.seconds + seconds, next(self._numbers), act))

    def run_until(self, moment: float) -> None:
        """Do all that is due by then, in order, until something is wrong."""
        while self._next and self._next[0][0] <= moment and not self.judge.wrongs:
            self.seconds, _, act = heapq.heappop(self._next)
            act()
        self.seconds = moment

    @property
    def next_at(self) -> float:
        """When the next thing happens."""
        return self._next[0][0]

    def is_quiet(self) -> bool:
        """Whether nobody is at work and no message waits, but for mailboxes in trouble."""
        if self._jobs or self._orphans or any(queue.poison for queue in self.queues):
            return False
        troubled = self.exchange.troubles.keys() | self.sharepoint.troubles.keys()
        return not self.services.photo_upkeep.messages and all(
            self.user_of(message.body) in troubled for message in self.services.photo_sync.messages
        )

    def post(self, *items: dict[str, Any]) -> None:
        """Graph posts to the webhook, once for each subscription that lives."""
        subscriptions = self.services.subscriptions.live.values()
        deaf = self.services.subscriptions.deaf if "changeType" in items[0] else set()
        for subscription in [each for each in subscriptions if each.id not in deaf]:
            ours = {
                "clientState": "secret",
                "subscriptionId": subscription.id,
                "tenantId": "tenant",
            }
            body = json.dumps({"value": [{**ours, **item} for item in items]}).encode()
            accepted = accept(body, _WEBHOOK, now=self.now, new_id=self._new_id)
            assert isinstance(accepted, Accepted)
            for text in accepted.sync:
                self.services.photo_sync.put(text)
                self.judge.told.add(json.loads(text)["userId"])
            for text in accepted.upkeep:
                # Before it is queued: that may be when it is lost.
                self.judge.told.update(_bundled(text))
                self.services.photo_upkeep.put(text)

    def notify(self, user_id: str, kind: str = "updated") -> None:
        others = [each for each in self.exchange.users if each != user_id][:_OTHERS]
        # Last, whom it is about: of a bundle that is not spread to its end, that is who is missed.
        told = [*((each, "updated") for each in others if self._temper.crowded), (user_id, kind)]
        self.post(*({"changeType": how, "resource": f"users/{each}"} for each, how in told))

    def user_of(self, text: str) -> str:
        """The id of whom an order is about, by whatever name."""
        return self.exchange.id_of(json.loads(text)["userId"])

    def change(self, user_id: str, change: Callable[[], None]) -> None:
        change()
        self.judge.told.discard(user_id)

    def set_clock(self, number: int, skew: float) -> None:
        self._skews[number] = skew

    def end_instance(self, number: int) -> None:
        """Its process dies, with all runs in it, and another one takes its place."""
        for job in [job for job, (_, _, where) in self._jobs.items() if where == number]:
            job.kill()
            self._over(job, with_host=True)
        for job in [job for job, where in self._orphans.items() if where == number]:
            job.kill()
            self._over(job)
        self.instances[number] = self._started(number)

    def end(self) -> None:
        """Let no thread be left over."""
        for job in [*self._jobs, *self._orphans]:
            job.kill()

    def _built_services(self) -> Services:
        def clock() -> datetime:
            return self.now

        temper = self._temper
        exchange = Exchange(
            temper.users,
            clock,
            lambda user_id: self.judge.told.add(user_id),
            etags_return=temper.etags_return,
        )
        subscriptions = Subscriptions(clock, temper.refuses_second, temper.hides, temper.lingers)
        photo_sync = MemoryQueue(clock, lambda message: self._queued(photo_sync, message))
        photo_upkeep = MemoryQueue(clock, lambda message: self._ordered(photo_upkeep, message))
        return Services(
            exchange, subscriptions, Blobs(lambda: self.seconds), photo_sync, photo_upkeep
        )

    def _started(self, number: int) -> Instance:
        limit, process = self._temper.profile_calls, object()

        def clock() -> datetime:
            return MIDNIGHT + timedelta(seconds=self.seconds + self._skews[number])

        def ticks() -> float:
            # Each machine counts from its own start, and runs a little too fast or too slow.
            return self.seconds * (1 + (number - 1) * _DRIFT) + number * 1_000_000

        desk = Desk(
            self.sharepoint,
            limit,
            clock=clock,
            before_write=self.judge.before_write,
            before_removal=self.judge.before_removal,
            # Whoever's clock is set may spend a little more.
            called=lambda: self.judge.counted((process, self._skews[number]), limit, self.now),
        )
        return Instance(
            self._parts,
            self.services,
            desk,
            # What a run does at once is done in either order, and in each instance in one of them.
            at_once=backwards if number % 2 else in_turn,
            clock=clock,
            ticks=ticks,
            new_id=self._new_id,
            jitter=self._temper.jitter,
        )

    def _queued(self, queue: MemoryQueue, message: Message) -> None:
        self.judge.queued(message.body)
        self._see(queue, message)

    def _ordered(self, queue: MemoryQueue, message: Message) -> None:
        self.lost_after -= 1
        if self.lost_after == 0:
            queue.messages.remove(message)
            self.judge.told -= _bundled(message.body)
            if self._about(queue, message).split()[0] in {SWEEP, SWEEP_PAGE, LIFECYCLE}:
                self.judge.sweep_lost_at = self.now
        else:
            self._see(queue, message)

    def _see(self, queue: MemoryQueue, message: Message) -> None:
        """The host looks into the queue once the message can be seen, a little later."""
        wait = max(0.0, (message.visible_at - self.now).total_seconds())
        seen = self._chance(f"poll/{self._about(queue, message)}/{self.seconds:.3f}").uniform(0, 2)
        self.after(wait + (0.0 if self.is_calm else seen), lambda: self._deliver(queue, message))

    def _deliver(self, queue: MemoryQueue, message: Message) -> None:
        if not queue.is_visible(message):
            return
        queue.take(message)
        key = self._key(queue, message)
        number = self._chance(f"instance/{key}").randrange(INSTANCES)
        body, again, here = message.body.encode(), message.tries > 1, self.instances[number]

        def work() -> None:
            if queue is self.services.photo_sync:
                here.worker.process(body, redelivered=again)
            else:
                here.upkeep.process(body, redelivered=again)

        fate = self._disposition(key)
        job = Job(work, fate.order if fate else _nothing_happens, self.after)
        self._jobs[job] = queue, message, number
        self.judge.orders[job] = message.body
        if fate and fate.is_slow:
            job.start()
        else:
            job.run_through()
        self._after_turn(job)

    def _disposition(self, key: str) -> Fate | None:
        if self.is_calm:
            return None
        return Fate(self._seed, key, self._temper, self.history, self)

    def raging(self) -> list[Storm]:
        return [each for each in self.storms if each.until > self.seconds]

    def _after_turn(self, job: Job) -> None:
        if job.is_over:
            self._over(job)
        else:
            self.after(job.sleeps_for, lambda: self._go_on(job))

    def _go_on(self, job: Job) -> None:
        if not job.is_over:
            job.go_on()
            self._after_turn(job)

    def _over(self, job: Job, *, with_host: bool = False) -> None:
        """A run has ended, alone or *with_host*: so does its message, or it comes back."""
        if job.error is not None and not isinstance(job.error, PhotoSyncError | Died):
            self.judge.wrong(f"nobody foresaw {job.error!r}")
        if self._orphans.pop(job, None) is None:
            queue, message, _ = self._jobs.pop(job)
            if job.error is None:
                queue.done(message)
            else:
                self.disturb(job)
                queue.failed(message, with_host=with_host)
                self._park_later()
        if self._is_sync(job):
            self.judge.after_run(self.user_of(self.judge.orders[job]))

    def _is_sync(self, job: Job) -> bool:
        return self.judge.orders[job].startswith('{"userId"')

    def disturb(self, job: Job) -> None:
        if self._is_sync(job):
            self.judge.disturbed.add(self.user_of(self.judge.orders[job]))

    def orphan(self, job: Job) -> None:
        self.disturb(job)
        if job in self._jobs:
            queue, message, number = self._jobs.pop(job)
            self._orphans[job] = number
            queue.failed(message)
            self._park_later()

    def _park_later(self) -> None:
        if any(queue.poison for queue in self.queues):
            self.after(_PARKED_EVERY - self.seconds % _PARKED_EVERY, self._park)

    def _park(self) -> None:
        """The timer records what the host gave up on; what cannot be recorded stays."""
        for queue in self.queues:
            waiting, queue.poison = queue.poison, []
            for text in waiting:
                here = self.instances[0]
                park = here.worker.park if queue is self.services.photo_sync else here.upkeep.park
                # Nobody looks at them again but a sweep.
                self.judge.told -= _bundled(text)
                try:
                    park(text.encode())
                except PhotoSyncError:
                    queue.poison.append(text)
        self._park_later()

    def _tick(self) -> None:
        """The timers. What they mend is looked at before."""
        self.after(HOUR, self._tick)
        self._check_told()
        hour = round(self.seconds / HOUR)
        if self.timers and hour % self._temper.hours_between == 0:
            self.services.photo_upkeep.put("sweep")
            self.services.photo_upkeep.put("audit")
        if hour % 12 == 0:
            self.services.photo_upkeep.put("renew")

    def _check_told(self) -> None:
        """Whoever was told of the last change, and of whom nothing is under way, has it."""
        if self.exchange.outage or self._orphans or any(queue.poison for queue in self.queues):
            return
        busy = {self.user_of(each.body) for each in self.services.photo_sync.messages}
        busy |= {self.user_of(self.judge.orders[job]) for job in self._jobs if self._is_sync(job)}
        # Whoever is being spread is in a message that the host has taken, and not deleted yet.
        busy = busy.union(*(_bundled(each.body) for each in self.services.photo_upkeep.messages))
        for wrong in self.judge.untrue(busy):
            self.judge.wrong(wrong)

    def _about(self, queue: MemoryQueue, message: Message) -> str:
        """What a message is about, without what depends on all that was before it."""
        if queue is self.services.photo_sync:
            fields = json.loads(message.body)
            return f"sync {self.user_of(message.body)[-2:]} {fields['reason']} {fields['attempt']}"
        if not message.body.startswith("{"):
            return message.body
        fields = json.loads(message.body)
        return f"{fields['kind']} {fields.get('page', '')}"

    def _key(self, queue: MemoryQueue, message: Message) -> str:
        """Names a run: the same one in every replay of the history, whatever is left out of it."""
        about = f"run {self._about(queue, message)} try {message.tries} at {self.seconds:.3f}"
        key, copies = about, itertools.count(2)
        while key in self._keys:
            key = f"{about} no. {next(copies)}"
        self._keys.add(key)
        return key

    def _chance(self, key: str) -> random.Random:
        return random.Random(f"{self._seed}/{key}")

    def _new_id(self) -> str:
        return f"id{next(self._numbers):06d}"


def _bundled(text: str) -> set[str]:
    """Whom a message for upkeep names, if it is a bundle."""
    return set(json.loads(text).get("userIds", [])) if text.startswith("{") else set()


def _nothing_happens(job: Job, call: str) -> Order:
    return GO
