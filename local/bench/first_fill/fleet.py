"""Queue, instances and runs of a large tenant, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.bench.first_fill.tenant_limits import Cost, TenantLimits
from local.bench.measuring.concurrency import AT_ONCE, LONGEST_POLL
from local.bench.measuring.conditions import LATENCY
from shared.backoff import backoff
from shared.microsoft365.http import LONGEST_WAIT_IN_PLACE
from shared.microsoft365.throttle import Gate

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
# infra's maximumInstanceCount.
MOST_INSTANCES = 40
# How often the host is scaled, and how long an instance takes to start (functions.md, X).
SCALED_EVERY, COLD_START = 10.0, 10.0
GRAPH_SECONDS, SHAREPOINT_SECONDS = LATENCY["graph"] / 1000, LATENCY["sharepoint"] / 1000
# Seconds of one run that are our own or storage's.
OWN_SECONDS = 0.05


class Clock:
    """Runs callbacks in order of their due time."""

    def __init__(self) -> None:
        self.now = 0.0
        self._next: list[tuple[float, int, Callable[..., object], tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, act: Callable[..., object], *about: Any) -> None:
        heapq.heappush(self._next, (self.now + seconds, next(self._numbers), act, about))

    def run_while(self, goes_on: Callable[[], bool]) -> None:
        while self._next and goes_on():
            self.now, _, act, about = heapq.heappop(self._next)
            act(*about)

    def time(self) -> datetime:
        return BEGIN + timedelta(seconds=self.now)


@dataclass
class Message:
    """One user to check; `since` is when the host may first see the message, by its reason."""

    user_id: str
    is_change: bool
    since: float
    attempt: int = 1


class Queue:
    """Queue `photo-sync`; several threads of the product may send to it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Message]] = []
        self.under_way = 0
        self.sent = 0

    def send(self, text: str, *, delay_seconds: float) -> None:
        """Send as the product does: JSON with the user."""
        fields = json.loads(text)
        self.put(Message(fields["userId"], False, self._clock.now + delay_seconds), delay_seconds)

    def put(self, message: Message, delay_seconds: float) -> None:
        with self._lock:
            self.sent += 1
            seen = self._clock.now + round(delay_seconds)
            heapq.heappush(self._waiting, (seen, next(self._numbers), message))

    def take(self) -> Message | None:
        """The message that has been visible for longest; None if none is visible."""
        if not self._waiting or self._waiting[0][0] > self._clock.now:
            return None
        self.under_way += 1
        return heapq.heappop(self._waiting)[2]

    def length(self) -> int:
        """As storage counts: including hidden messages and those being processed."""
        return len(self._waiting) + self.under_way

    def is_any_seen(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= self._clock.now


@dataclass
class Instance:
    """One process: AT_ONCE concurrent runs behind one gate."""

    gate: Gate
    busy: int = 0
    idle_since: float = 0.0


@dataclass
class Run:
    """One run: the calls to SharePoint that are left, step by step."""

    message: Message
    instance: Instance
    steps: list[tuple[int, int]]
    waited: float = 0.0


@dataclass
class Counts:
    """What was counted about the runs."""

    put_off: int = 0
    most_instances: int = 0
    longest_queue: int = 0
    active_seconds: float = 0.0
    copies: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


class Fleet:
    """
    As many instances as the host would start, each with AT_ONCE concurrent runs.

    *work* returns what a run for a user costs now; *done* is called with each ended message.
    """

    def __init__(
        self,
        clock: Clock,
        limits: TenantLimits,
        work: Callable[[Message], Cost],
        done: Callable[[Message], None],
        chance: random.Random,
    ) -> None:
        self.queue = Queue(clock)
        self.counts = Counts()
        self._clock = clock
        self._limits = limits
        self._work = work
        self._done = done
        self._chance = chance
        self._instances = [self._started()]
        self._starting = 0
        clock.after(0.0, self._poll)
        clock.after(SCALED_EVERY, self._scale)

    def busy_seconds(self) -> float:
        """The total time that instances were busy."""
        still = sum(bool(each.busy) for each in self._instances)
        return self.counts.active_seconds + still * self._clock.now

    def _started(self) -> Instance:
        gate = Gate(self._clock.time, jitter=self._chance.random)
        return Instance(gate, idle_since=self._clock.now)

    def _poll(self) -> None:
        """
        Each free slot takes the next message; messages that become visible later wait for a poll.
        """
        self._take_all()
        self._clock.after(LONGEST_POLL, self._poll)

    def _take_all(self) -> None:
        for instance in self._instances:
            while instance.busy < AT_ONCE:
                message = self.queue.take()
                if message is None:
                    return
                self._begin(message, instance)

    def _begin(self, message: Message, instance: Instance) -> None:
        if not instance.busy:
            self.counts.active_seconds -= self._clock.now
        instance.busy += 1
        cost = self._work(message)
        self._limits.ask_graph(self._clock.now, cost.graph)
        first = [(1, 0)] if cost.profile_calls else []
        uploads = [(0, cost.uploads)] if cost.uploads else []
        steps = [*first, *uploads, *[(1, 0)] * (cost.profile_calls - 1)]
        # A run that does not copy calls Graph once, any other twice.
        asked = 2 if steps else 1
        seconds = OWN_SECONDS + asked * GRAPH_SECONDS
        self._clock.after(seconds, self._go_on, Run(message, instance, steps))

    def _go_on(self, run: Run) -> None:
        if not run.steps:
            self._over(run)
            self._done(run.message)
            since = self._clock.now - run.message.since
            (self.counts.changes if run.message.is_change else self.counts.copies).append(since)
            return
        gate = run.instance.gate
        if not gate.closed_for():
            profile_calls, uploads = run.steps[0]
            asked = self._limits.ask(self._clock.now, profile_calls=profile_calls, uploads=uploads)
            if not asked:
                gate.answered(self._limits.headers(self._clock.now))
                run.steps.pop(0)
                self._clock.after(SHAREPOINT_SECONDS, self._go_on, run)
                return
            gate.refused(asked, begun_in=gate.round())
        self._be_patient(run, gate.closed_for())

    def _be_patient(self, run: Run, seconds: float) -> None:
        """Wait in place if the wait is short; put a long one into a new message."""
        if run.waited + seconds <= LONGEST_WAIT_IN_PLACE:
            run.waited += seconds
            self._clock.after(seconds, self._go_on, run)
            return
        self._over(run)
        self.counts.put_off += 1
        wait = backoff(run.message.attempt, asked=seconds, jitter=self._chance.random)
        run.message.attempt += 1
        self.queue.put(run.message, wait)

    def _over(self, run: Run) -> None:
        run.instance.busy -= 1
        self.queue.under_way -= 1
        if not run.instance.busy:
            self.counts.active_seconds += self._clock.now
            run.instance.idle_since = self._clock.now
        self._take_all()

    def _scale(self) -> None:
        """Target-based scaling: by the queue's length, if any message is visible."""
        length, now = self.queue.length(), self._clock.now
        wanted = math.ceil(length / AT_ONCE) if self.queue.is_any_seen() else 0
        missing = min(wanted, MOST_INSTANCES) - len(self._instances) - self._starting
        for _ in range(missing):
            self._starting += 1
            self._clock.after(COLD_START, self._join)
        if missing < 0:
            idle = [each for each in self._instances[1:] if not each.busy]
            gone = [each for each in idle if now - each.idle_since > 60][:-missing]
            self._instances = [each for each in self._instances if each not in gone]
        self.counts.longest_queue = max(self.counts.longest_queue, length)
        self._clock.after(SCALED_EVERY, self._scale)

    def _join(self) -> None:
        self._starting -= 1
        self._instances.append(self._started())
        self.counts.most_instances = max(self.counts.most_instances, len(self._instances))
        self._take_all()
