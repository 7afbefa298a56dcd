"""Queue, instances and runs of a large tenant, in simulated time."""

from __future__ import annotations

import heapq
import itertools
import json
import math
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from local.bench.first_fill.tenant_limits import CHANGED_COPY, FIRST_COPY, LOOK, TenantLimits
from local.bench.measuring.conditions import AT_ONCE, LATENCY, LONGEST_POLL
from shared.backoff import backoff
from shared.microsoft365.http import LONGEST_WAIT_IN_PLACE
from shared.microsoft365.throttle import Throttle

BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
# infra's maximumInstanceCount.
MOST_INSTANCES = 40
# How often the host is scaled, and how long an instance takes to start (functions.md, X).
SCALED_EVERY, COLD_START = 10.0, 10.0
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

    def start(self, process: Iterator[float]) -> None:
        """Run *process* now; it yields the seconds until it goes on."""
        seconds = next(process, None)
        if seconds is not None:
            self.after(seconds, self.start, process)

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
    """
    Queue `photo-sync`. The product's threads send to it in any order, so messages that become
    visible together are ordered by user: each play has the same result.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, str, int, Message]] = []
        self.under_way = 0

    def send(self, text: str, *, delay_seconds: float) -> None:
        """Send as the product does: JSON with the user."""
        user_id = json.loads(text)["userId"]
        self.put(Message(user_id, False, self._clock.now + delay_seconds), delay_seconds)

    def put(self, message: Message, delay_seconds: float) -> None:
        with self._lock:
            seen = self._clock.now + round(delay_seconds)
            heapq.heappush(self._waiting, (seen, message.user_id, next(self._numbers), message))

    def take(self) -> Message | None:
        """The message that has been visible for longest; None if none is visible."""
        if not self.is_any_seen():
            return None
        self.under_way += 1
        return heapq.heappop(self._waiting)[-1]

    def length(self) -> int:
        """As storage counts: including hidden messages and those being processed."""
        return len(self._waiting) + self.under_way

    def is_any_seen(self) -> bool:
        return bool(self._waiting) and self._waiting[0][0] <= self._clock.now


@dataclass
class Instance:
    """One process: AT_ONCE concurrent runs behind one throttle."""

    throttle: Throttle
    busy: int = 0
    idle_since: float = 0.0


@dataclass
class Counts:
    """How many messages were deferred, and the seconds of each copy and change."""

    deferred: int = 0
    copies: list[float] = field(default_factory=list)
    changes: list[float] = field(default_factory=list)


class Fleet:
    """
    As many instances as the host would start, each with AT_ONCE concurrent runs.

    `copied` are the users who have a picture.
    """

    def __init__(self, clock: Clock, limits: TenantLimits, chance: random.Random) -> None:
        self.queue = Queue(clock)
        self.counts = Counts()
        self.copied: set[str] = set()
        self._clock = clock
        self._limits = limits
        self._chance = chance
        self._instances: list[Instance] = []
        self._join()
        self._starting = 0
        clock.start(self._polls())
        clock.start(self._scaling())

    def _join(self) -> None:
        throttle = Throttle(self._clock.time, jitter=self._chance.random)
        self._instances.append(Instance(throttle, idle_since=self._clock.now))
        self._take_all()

    def _polls(self) -> Iterator[float]:
        """
        Each free slot takes the next message; messages that become visible later wait for a poll.
        """
        while True:
            self._take_all()
            yield LONGEST_POLL

    def _take_all(self) -> None:
        for instance in self._instances:
            while instance.busy < AT_ONCE:
                message = self.queue.take()
                if message is None:
                    return
                instance.busy += 1
                self._clock.start(self._run(message, instance))

    def _run(self, message: Message, instance: Instance) -> Iterator[float]:
        cost = FIRST_COPY
        if message.user_id in self.copied:
            cost = CHANGED_COPY if message.is_change else LOOK
        throttle, waited = instance.throttle, 0.0
        # A run that copies also waits for the photo; the user is read meanwhile.
        yield OWN_SECONDS + (2 if cost.steps else 1) * LATENCY["graph"] / 1000
        for profile_calls, uploads in cost.steps:
            while refused := self._closed_for(throttle, profile_calls, uploads):
                if waited + refused > LONGEST_WAIT_IN_PLACE:
                    self._defer(message, refused)
                    self._over(instance)
                    return
                waited += refused
                yield refused
            yield LATENCY["sharepoint"] / 1000
        self.copied.add(message.user_id)
        since = self._clock.now - message.since
        (self.counts.changes if message.is_change else self.counts.copies).append(since)
        self._over(instance)

    def _closed_for(self, throttle: Throttle, profile_calls: int, uploads: int) -> float:
        """Make calls to SharePoint; 0.0 if they are answered, else the seconds to wait."""
        if not throttle.paused_for():
            now = self._clock.now
            asked = self._limits.ask(now, profile_calls=profile_calls, uploads=uploads)
            if not asked:
                throttle.answered(self._limits.headers(now))
                return 0.0
            throttle.refused(asked, begun_in=throttle.round())
        return throttle.paused_for()

    def _defer(self, message: Message, seconds: float) -> None:
        self.counts.deferred += 1
        wait = backoff(message.attempt, asked=seconds, jitter=self._chance.random)
        message.attempt += 1
        self.queue.put(message, wait)

    def _over(self, instance: Instance) -> None:
        instance.busy -= 1
        instance.idle_since = self._clock.now
        self.queue.under_way -= 1
        self._take_all()

    def _scaling(self) -> Iterator[float]:
        """Target-based scaling: by the queue's length, if any message is visible."""
        while True:
            yield SCALED_EVERY
            wanted = math.ceil(self.queue.length() / AT_ONCE) if self.queue.is_any_seen() else 0
            missing = min(wanted, MOST_INSTANCES) - len(self._instances) - self._starting
            for _ in range(missing):
                self._starting += 1
                self._clock.after(COLD_START, self._started)
            if missing < 0:
                long_ago = self._clock.now - 60
                idle = [i for i in self._instances[1:] if not i.busy and i.idle_since < long_ago]
                for instance in idle[:-missing]:
                    self._instances.remove(instance)

    def _started(self) -> None:
        self._starting -= 1
        self._join()
