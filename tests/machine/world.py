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
from tests.machine.faults import RunFaults, Storm
from tests.machine.history import HOUR, INSTANCES, Conditions, History
from tests.machine.instance import Instance, Parts, Services
from tests.machine.jobs import NORMAL, Died, Job, Outcome
from tests.machine.oracle import Oracle
from tests.machine.sharepoint import Desk, SharePoint
from tests.machine.storage import Blobs, MemoryQueue, Message
from tests.machine.subscriptions import Subscriptions
from tests.machine.tenant import Exchange

MIDNIGHT = datetime(2026, 1, 31, tzinfo=UTC)
_WEBHOOK = WebhookSettings("tenant", "secret")
_PARKED_EVERY = 300.0
# How much too fast a machine's clock may run: a kernel corrects no more (Linux, adjtimex: 500 parts
# per million).
_DRIFT = 0.0005
# At most so many other users have notifications in the same POST.
_OTHERS = 11


class World:
    """All services and instances, and the schedule of what happens next."""

    def __init__(
        self, seed: int, parts: Parts, conditions: Conditions, allowed: frozenset[str] | None = None
    ) -> None:
        self.seconds = 0.0
        self._seed = seed
        self._parts = parts
        self._conditions = conditions
        self.history = History(lambda: f"day {self.seconds // 86400:.0f} {self.now:%T}", allowed)
        self._next: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count(1)
        self._keys: set[str] = set()
        # How many seconds each instance's wall clock is ahead.
        self.skews = list(conditions.skews)
        # The running jobs, each with its message and the number of its instance.
        self._jobs: dict[Job, tuple[MemoryQueue, Message, int]] = {}
        # Runs that the host considers dead.
        self._orphans: dict[Job, int] = {}
        # While it is calm there are no faults.
        self.is_calm = True
        self.timers = True
        self.storms: list[Storm] = []
        # The message for upkeep that will be lost, counted from now; 0: none.
        self.lost_after = 0
        self.services = self._built_services()
        self.sharepoint = SharePoint(
            lambda user_id, job: self.oracle.written(user_id, job), self.exchange.name_of
        )
        self.oracle = Oracle(self.services, self.sharepoint)
        self.instances = [self._started(number) for number in range(INSTANCES)]
        self.after(HOUR, self._tick)

    @property
    def now(self) -> datetime:
        """The time that Microsoft 365, storage and the host agree on."""
        return MIDNIGHT + timedelta(seconds=self.seconds)

    @property
    def between_sweeps(self) -> float:
        """The seconds between two sweeps of the timer."""
        return HOUR * self._conditions.hours_between

    @property
    def exchange(self) -> Exchange:
        return self.services.exchange

    @property
    def queues(self) -> tuple[MemoryQueue, MemoryQueue]:
        return self.services.photo_sync, self.services.photo_upkeep

    def after(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something after so many seconds."""
        heapq.heappush(self._next, (self.seconds + seconds, next(self._numbers), act))

    def run_until(self, moment: float) -> None:
        """Do everything that is due by then, in order, until there is a violation."""
        while self._next and self._next[0][0] <= moment and not self.oracle.violations:
            self.seconds, _, act = heapq.heappop(self._next)
            act()
        self.seconds = moment

    @property
    def next_at(self) -> float:
        """When the next thing happens."""
        return self._next[0][0]

    def is_quiet(self) -> bool:
        """Whether no job runs, and no message waits except for mailboxes in trouble."""
        if self._jobs or self._orphans or any(queue.poison for queue in self.queues):
            return False
        troubled = self.exchange.troubles.keys() | self.sharepoint.troubles.keys()
        return not self.services.photo_upkeep.messages and all(
            self.user_of(message.body) in troubled for message in self.services.photo_sync.messages
        )

    def post(self, *items: dict[str, Any]) -> None:
        """Graph posts to the webhook, once for each live subscription."""
        subscriptions = self.services.subscriptions
        silent = subscriptions.unauthorized if "changeType" in items[0] else set()
        for id_ in [each for each in subscriptions.live if each not in silent]:
            ours = {"clientState": "secret", "subscriptionId": id_, "tenantId": "tenant"}
            body = json.dumps({"value": [{**ours, **item} for item in items]}).encode()
            accepted = accept(body, _WEBHOOK, now=self.now, new_id=self._new_id)
            assert isinstance(accepted, Accepted)
            for text in accepted.sync:
                self.services.photo_sync.put(text)
                self.oracle.notified.add(json.loads(text)["userId"])
            for text in accepted.upkeep:
                # Before it is queued, because it may be lost then.
                self.oracle.notified.update(_bundled(text))
                self.services.photo_upkeep.put(text)

    def notify(self, user_id: str, kind: str = "updated") -> None:
        others = [each for each in self.exchange.users if each != user_id][:_OTHERS]
        # The user comes last: if only a part of a bundle is queued, this one is missed.
        items = [(each, "updated") for each in others if self._conditions.crowded]
        items.append((user_id, kind))
        self.post(*({"changeType": how, "resource": f"users/{each}"} for each, how in items))

    def user_of(self, text: str) -> str:
        """The id of a message's user, by whatever name the message has."""
        return self.exchange.id_of(json.loads(text)["userId"])

    def change(self, user_id: str, change: Callable[[], None]) -> None:
        change()
        self.oracle.notified.discard(user_id)

    def end_instance(self, number: int) -> None:
        """Its process dies, with all runs in it, and another one replaces it."""
        for job in [job for job, (_, _, where) in self._jobs.items() if where == number]:
            job.kill()
            self._end_run(job, with_host=True)
        for job in [job for job, where in self._orphans.items() if where == number]:
            job.kill()
            self._end_run(job)
        self.instances[number] = self._started(number)

    def end(self) -> None:
        """End all threads."""
        for job in [*self._jobs, *self._orphans]:
            job.kill()

    def _built_services(self) -> Services:
        def clock() -> datetime:
            return self.now

        given = self._conditions
        exchange = Exchange(
            given.users,
            clock,
            lambda user_id: self.oracle.notified.add(user_id),
            etags_return=given.etags_return,
        )
        subscriptions = Subscriptions(clock, given.refuses_second, given.hides, given.lingers)
        sync = MemoryQueue(clock, lambda message: self._sync_queued(sync, message))
        upkeep = MemoryQueue(clock, lambda message: self._upkeep_queued(upkeep, message))
        return Services(exchange, subscriptions, Blobs(lambda: self.seconds), sync, upkeep)

    def _started(self, number: int) -> Instance:
        limit, process = self._conditions.profile_calls, object()

        def clock() -> datetime:
            return MIDNIGHT + timedelta(seconds=self.seconds + self.skews[number])

        def ticks() -> float:
            # Each machine counts from its own start, a little too fast or too slow.
            return self.seconds * (1 + (number - 1) * _DRIFT) + number * 1_000_000

        desk = Desk(
            self.sharepoint,
            limit,
            clock=clock,
            before_write=self.oracle.before_write,
            before_removal=self.oracle.before_removal,
            # An instance whose clock is set may spend a little more.
            called=lambda: self.oracle.profile_call((process, self.skews[number]), limit, self.now),
        )
        return Instance(
            self._parts,
            self.services,
            desk,
            # Parallel calls of a run are made in turn: in one order or the other, by the instance.
            at_once=backwards if number % 2 else in_turn,
            clock=clock,
            ticks=ticks,
            new_id=self._new_id,
            jitter=self._conditions.jitter,
        )

    def _sync_queued(self, queue: MemoryQueue, message: Message) -> None:
        self.oracle.queued(message.body)
        self._schedule(queue, message)

    def _upkeep_queued(self, queue: MemoryQueue, message: Message) -> None:
        self.lost_after -= 1
        if self.lost_after == 0:
            queue.messages.remove(message)
            self.oracle.notified -= _bundled(message.body)
            if self._about(queue, message).split()[0] in {SWEEP, SWEEP_PAGE, LIFECYCLE}:
                self.oracle.sweep_lost_at = self.now
        else:
            self._schedule(queue, message)

    def _schedule(self, queue: MemoryQueue, message: Message) -> None:
        """The host polls the queue a little after the message becomes visible."""
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

        faults = None
        if not self.is_calm:
            faults = RunFaults(self._seed, key, self._conditions, self.history, self)
        job = Job(work, faults.outcome if faults else _no_faults, self.after)
        self._jobs[job] = queue, message, number
        self.oracle.orders[job] = message.body
        if faults and faults.is_slow:
            job.start()
        else:
            job.run()
        self._after_turn(job)

    def active_storms(self) -> list[Storm]:
        return [each for each in self.storms if each.until > self.seconds]

    def _after_turn(self, job: Job) -> None:
        if job.is_over:
            self._end_run(job)
        else:
            self.after(job.sleeps_for, lambda: self._resume(job))

    def _resume(self, job: Job) -> None:
        if not job.is_over:
            job.resume()
            self._after_turn(job)

    def _end_run(self, job: Job, *, with_host: bool = False) -> None:
        """A run has ended, alone or *with_host*: its message is deleted, or comes back."""
        if job.error is not None and not isinstance(job.error, PhotoSyncError | Died):
            self.oracle.report(f"unexpected error {job.error!r}")
        if self._orphans.pop(job, None) is None:
            queue, message, _ = self._jobs.pop(job)
            if job.error is None:
                queue.done(message)
            else:
                self.disrupt(job)
                queue.failed(message, with_host=with_host)
                self._park_later()
        if self._is_sync(job):
            self.oracle.after_run(self.user_of(self.oracle.orders[job]))

    def _is_sync(self, job: Job) -> bool:
        return self.oracle.orders[job].startswith('{"userId"')

    def disrupt(self, job: Job) -> None:
        if self._is_sync(job):
            self.oracle.disrupted.add(self.user_of(self.oracle.orders[job]))

    def orphan(self, job: Job) -> None:
        self.disrupt(job)
        if job in self._jobs:
            queue, message, number = self._jobs.pop(job)
            self._orphans[job] = number
            queue.failed(message)
            self._park_later()

    def _park_later(self) -> None:
        if any(queue.poison for queue in self.queues):
            self.after(_PARKED_EVERY - self.seconds % _PARKED_EVERY, self._park)

    def _park(self) -> None:
        """The timer records poison messages; one that cannot be recorded stays."""
        for queue in self.queues:
            waiting, queue.poison = queue.poison, []
            for text in waiting:
                here = self.instances[0]
                park = here.worker.park if queue is self.services.photo_sync else here.upkeep.park
                # Only a sweep finds these users again.
                self.oracle.notified -= _bundled(text)
                try:
                    park(text.encode())
                except PhotoSyncError:
                    queue.poison.append(text)
        self._park_later()

    def _tick(self) -> None:
        """The timers. They repair things, so the check comes first."""
        self.after(HOUR, self._tick)
        self._check_notified()
        hour = round(self.seconds / HOUR)
        if self.timers and hour % self._conditions.hours_between == 0:
            self.services.photo_upkeep.put("sweep")
            self.services.photo_upkeep.put("audit")
        if hour % 12 == 0:
            self.services.photo_upkeep.put("renew")

    def _check_notified(self) -> None:
        """Users whose last change was notified have it, if no message or run is about them."""
        if self.exchange.outage or self._orphans or any(queue.poison for queue in self.queues):
            return
        busy = {self.user_of(each.body) for each in self.services.photo_sync.messages}
        busy |= {self.user_of(self.oracle.orders[job]) for job in self._jobs if self._is_sync(job)}
        # A bundle stays in the queue until all of its users are queued.
        busy = busy.union(*(_bundled(each.body) for each in self.services.photo_upkeep.messages))
        for wrong in self.oracle.overdue(busy):
            self.oracle.report(wrong)

    def _about(self, queue: MemoryQueue, message: Message) -> str:
        """A message's subject, without anything that depends on the history before it."""
        if queue is self.services.photo_sync:
            fields = json.loads(message.body)
            return f"sync {self.user_of(message.body)[-2:]} {fields['reason']} {fields['attempt']}"
        if not message.body.startswith("{"):
            return message.body
        fields = json.loads(message.body)
        return f"{fields['kind']} {fields.get('page', '')}"

    def _key(self, queue: MemoryQueue, message: Message) -> str:
        """A name of a run, the same in every replay, whatever is left out of the history."""
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
    """The users in a message for upkeep, if it is a bundle."""
    return set(json.loads(text).get("userIds", [])) if text.startswith("{") else set()


def _no_faults(job: Job, call: str) -> Outcome:
    return NORMAL
