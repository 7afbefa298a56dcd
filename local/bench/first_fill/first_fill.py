"""
A first fill of a large tenant: 100,000 users without pictures, in simulated time.

The pacing is the product's own; Microsoft's limits, the host and its instances are simulated. The
floor is the time that the binding limit needs for the first copies alone.
"""

from __future__ import annotations

import itertools
import random
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self

from local.bench.first_fill.fleet import Clock, Fleet, Message
from local.bench.first_fill.tenant_limits import (
    FIRST_COPY,
    UNITS_A_CALL,
    TenantLimits,
    fewest_seconds,
)
from local.bench.measuring.rows import Row
from local.bench.sweep.sweep_world import MemoryDocuments
from shared.messages import upkeep_message
from shared.sweeping import sweep_log
from shared.sweeping.fill import Fill
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.state_page import JUDGED_AT_ONCE
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.turns import FEW, Turns
from shared.sweeping.user_queue import UserQueue

USERS = 100_000
# The case of calls that cost more than the product assumes: their price is unknown.
FEWER_USERS, DEARER_UNITS = 30_000, 3
# A goal of the design, and the longest acceptable wait.
_RATIO, _MINUTE = 1.25, 60.0
# The time of Graph's answers about all users, as computed in capacity.md. Then JUDGED_AT_ONCE users
# are compared, which takes one storage call and the messages' time.
SECONDS_A_USER = 3.27e-3
SECONDS_A_PAGE = 2.0
BETWEEN_SWEEPS = 3_600.0
_LARGEST_TENANT = 15_000


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Run it once: the same seed gives the same result."""
    played = FirstFill(USERS).play(say)
    dearer = FirstFill(FEWER_USERS, units_a_call=DEARER_UNITS).play(say)
    return [*rows_of(USERS, played), _dearer(dearer)]


class _Upkeep:
    """Queue `photo-upkeep`, whose fills are processed when they are due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.fill: Fill | None = None

    def send(self, text: str, *, delay_seconds: float) -> None:
        self._clock.after(delay_seconds + 1, self._process, text)

    def _process(self, text: str) -> None:
        message = upkeep_message.parse(text.encode(), now=self._clock.time())
        assert self.fill
        self.fill.process(message.sweep_id, message.page)


class FirstFill:
    """A tenant of so many users without pictures; every *every* seconds a photo changes."""

    def __init__(
        self,
        users: int,
        *,
        every: float = 1.0,
        few: int = FEW,
        units_a_call: int = UNITS_A_CALL,
        seed: int = 1,
    ) -> None:
        self._ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(users)]
        self._every = every
        self._chance = random.Random(seed)
        self._clock, self.limits = Clock(), TenantLimits(units_a_call)
        self._fleet = Fleet(self._clock, self.limits, self._chance)
        self._copied = self._fleet.copied
        # No document here is a part, which would need a folder.
        documents = MemoryDocuments(Path())
        self._sweeps, fills = SweepLogs(documents), FillLogs(documents)
        upkeep, numbers = _Upkeep(self._clock), itertools.count()
        queue, clock = self._fleet.queue, self._clock.time
        queued = UserQueue(queue, clock=clock, new_id=lambda: str(next(numbers)))

        def pace() -> Pace:
            return Pace(_LARGEST_TENANT)

        self._turns = Turns(fills, queued, upkeep, pace=pace, clock=clock, few=few)
        upkeep.fill = Fill(
            fills, self._sweeps, queued, upkeep, pace=pace, waiting=queue.length, clock=clock
        )

    def play(self, say: Callable[[str], None] = lambda text: None) -> Self:
        """Run until the last user has a picture; may be called once."""
        self._clock.start(self._sweep_hourly())
        self._clock.start(self._changes())
        self._clock.run_while(lambda: len(self._copied) < len(self._ids))
        say(f"{len(self._ids):,} users in {self._clock.now / 3600:.2f} simulated hours")
        self.seconds, self.counts = self._clock.now, self._fleet.counts
        return self

    def _changes(self) -> Iterator[float]:
        """A user's photo changes, and Graph sends a notification."""
        while True:
            yield self._every
            message = Message(self._chance.choice(self._ids), True, self._clock.now)
            self._fleet.queue.put(message, 0)

    def _sweep_hourly(self) -> Iterator[float]:
        for number in itertools.count(1):
            self._clock.start(self._sweep(number))
            yield BETWEEN_SWEEPS

    def _sweep(self, number: int) -> Iterator[float]:
        """Find the users without a picture, page by page, and record them as a sweep does."""
        now = self._clock.time().isoformat()
        sweep = SweepLog(f"20260131T120000-{number:08d}", now, now)
        self._sweeps.begin(sweep, self._sweeps.latest()[1])
        yield SECONDS_A_USER * len(self._ids)
        for start in range(0, len(self._ids), JUDGED_AT_ONCE):
            listed = self._ids[start : start + JUDGED_AT_ONCE]
            found = [(user_id, "new") for user_id in listed if user_id not in self._copied]
            waiting = self._turns.queue(sweep, found)
            self._turns.keep(sweep, waiting)
            over = start + JUDGED_AT_ONCE >= len(self._ids)
            _, read = self._sweeps.read(sweep.id) or (None, None)
            sweep = replace(
                sweep,
                page=sweep.page + 1,
                turns=sweep.turns + len(waiting),
                changed={"new": sweep.changed.get("new", 0) + len(found)},
                status=sweep_log.FINISHED if over else sweep_log.RUNNING,
            )
            self._sweeps.write(sweep, after=read)
            yield SECONDS_A_PAGE


def rows_of(users: int, played: FirstFill) -> Iterator[Row]:
    """The rows of the table."""
    counts, limits = played.counts, played.limits
    fewest = fewest_seconds(users, FIRST_COPY)
    binding = max(fewest, key=lambda limit: fewest[limit])
    what = f"{users:,} first copies: "
    yield Row(
        what + "hours",
        round(played.seconds / 3600, 3),
        "h",
        floor=round(fewest[binding] / 3600, 3),
        floor_is=f"what the limit that binds allows, {binding}, without changes",
        goal_ratio=_RATIO,
        note=f"{FIRST_COPY.profile_calls} profile calls and {FIRST_COPY.units()} units each; "
        f"at most {limits.profiles.largest:,} profile calls in five minutes and "
        f"{limits.units.largest:,} units in one minute",
    )
    note = f"{counts.deferred:,} messages were deferred"
    yield Row(what + "calls refused", limits.refused, goal=0, note=note)
    for name, seconds in (
        ("slowest copy, from its turn on", counts.copies),
        ("slowest change meanwhile, one a second", counts.changes),
    ):
        note = f"of {len(seconds):,}, median {statistics.median(seconds):.1f} s"
        yield Row(what + name, round(max(seconds), 2), "s", goal=_MINUTE, note=note)


def _dearer(played: FirstFill) -> Row:
    """The cost of a wrong assumption about the price of a call."""
    fewest = fewest_seconds(FEWER_USERS, FIRST_COPY, DEARER_UNITS)
    late = [each for each in played.counts.changes if each > _MINUTE]
    return Row(
        f"{FEWER_USERS:,}, if each call costs {DEARER_UNITS} units: hours",
        round(played.seconds / 3600, 3),
        "h",
        floor=round(max(fewest.values()) / 3600, 3),
        floor_is="the same, with calls at that price",
        note=f"{played.limits.refused:,} calls refused, {played.counts.deferred:,} messages "
        f"deferred; {len(late):,} of {len(played.counts.changes):,} changes took longer than a "
        "minute",
    )
