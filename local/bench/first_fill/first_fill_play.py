"""Simulates a first fill: sweeps that find users without pictures, and photo changes meanwhile."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from local.bench.first_fill.fleet import Clock, Counts, Fleet, Message
from local.bench.first_fill.tenant_limits import UNITS_A_CALL, Cost, TenantLimits
from local.bench.sweep.sweep_world import MemoryDocuments
from shared.messages import upkeep_message
from shared.sweeping import sweep_log
from shared.sweeping.fill import Fill
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import PROFILE_CALLS_A_COPY, UPLOADS_A_COPY, Pace
from shared.sweeping.state_page import JUDGED_AT_ONCE
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.turns import FEW, Turns
from shared.sweeping.user_queue import UserQueue

# As counted by `make bench ONLY=calls`.
FIRST_COPY = Cost(graph=4, profile_calls=PROFILE_CALLS_A_COPY, uploads=UPLOADS_A_COPY)
CHANGED_COPY = Cost(graph=4, profile_calls=2, uploads=3)
LOOK = Cost(graph=1, profile_calls=0, uploads=0)
# The time of Graph's answers, as computed by `make bench ONLY=sweep`: first about all users. Then
# JUDGED_AT_ONCE users are compared, which takes one storage call and the messages' time.
SECONDS_A_USER = 3.27e-3
SECONDS_A_PAGE = 2.0
BETWEEN_SWEEPS = 3_600.0
_LARGEST_TENANT = 15_000


@dataclass(frozen=True)
class Played:
    """
    The result of a first fill; `vain` slots were given to users who already had their picture.
    """

    seconds: float
    counts: Counts
    limits: TenantLimits
    busy_seconds: float
    vain: int


class _Upkeep:
    """Queue `photo-upkeep`, whose fills are processed when they are due."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.fill: Fill | None = None

    def send(self, text: str, *, delay_seconds: float) -> None:
        self._clock.after(delay_seconds + 1, self._work_off, text)

    def _work_off(self, text: str) -> None:
        message = upkeep_message.parse(text.encode(), now=self._clock.time())
        assert self.fill
        self.fill.work_off(message.sweep_id, message.page)


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
        self._clock, self._limits = Clock(), TenantLimits(units_a_call)
        self._copied: set[str] = set()
        self._vain = 0
        self._fleet = Fleet(self._clock, self._limits, self._cost, self._done, self._chance)
        # No document here is a part, which would need a folder.
        documents = MemoryDocuments(Path())
        self._sweeps, fills = SweepLogs(documents), FillLogs(documents)
        upkeep, numbers = _Upkeep(self._clock), itertools.count()
        queue = self._fleet.queue
        queued = UserQueue(queue, clock=self._clock.time, new_id=lambda: str(next(numbers)))

        def pace() -> Pace:
            return Pace(_LARGEST_TENANT)

        self._turns = Turns(fills, queued, upkeep, pace=pace, clock=self._clock.time, few=few)
        upkeep.fill = Fill(
            fills,
            self._sweeps,
            queued,
            upkeep,
            pace=pace,
            waiting=queue.length,
            clock=self._clock.time,
        )

    def play(self, say: Callable[[str], None] = lambda text: None) -> Played:
        """Run until the last user has a picture."""
        self._clock.after(0.0, self._sweep, 1)
        self._clock.after(self._every, self._change)
        self._clock.run_while(lambda: len(self._copied) < len(self._ids))
        say(f"{len(self._ids):,} users in {self._clock.now / 3600:.2f} simulated hours")
        busy = self._fleet.busy_seconds()
        return Played(self._clock.now, self._fleet.counts, self._limits, busy, self._vain)

    def _cost(self, message: Message) -> Cost:
        if message.user_id not in self._copied:
            return FIRST_COPY
        if message.is_change:
            return CHANGED_COPY
        self._vain += 1
        return LOOK

    def _done(self, message: Message) -> None:
        self._copied.add(message.user_id)

    def _change(self) -> None:
        """A user's photo changes, and Graph sends a notification."""
        message = Message(self._chance.choice(self._ids), True, self._clock.now)
        self._fleet.queue.put(message, 0)
        self._clock.after(self._every, self._change)

    def _sweep(self, number: int) -> None:
        now = self._clock.time().isoformat()
        sweep = SweepLog(f"20260131T120000-{number:08d}", now, now)
        self._sweeps.begin(sweep, self._sweeps.latest()[1])
        self._clock.after(SECONDS_A_USER * len(self._ids), self._page, sweep)
        self._clock.after(BETWEEN_SWEEPS, self._sweep, number + 1)

    def _page(self, sweep: SweepLog) -> None:
        """Process one page as a sweep does: find the users without a picture and record them."""
        start = (sweep.page - 1) * JUDGED_AT_ONCE
        listed = self._ids[start : start + JUDGED_AT_ONCE]
        found = [(user_id, "new") for user_id in listed if user_id not in self._copied]
        waiting = self._turns.queue(sweep, found)
        self._turns.keep(sweep, waiting)
        turns = sweep.turns + len(waiting)
        changed = {"new": sweep.changed.get("new", 0) + len(found)}
        over = start + JUDGED_AT_ONCE >= len(self._ids)
        status = sweep_log.FINISHED if over else sweep_log.RUNNING
        after = replace(sweep, page=sweep.page + 1, turns=turns, changed=changed, status=status)
        _, read = self._sweeps.read(sweep.id) or (None, None)
        self._sweeps.write(after, after=read)
        if not over:
            self._clock.after(SECONDS_A_PAGE, self._page, after)
