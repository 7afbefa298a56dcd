"""
One instance's part of the fleet's budget: draws portions of calls and spends them on its own.

    take, nothing left   read the account, count, write it conditionally; lost -> again
    take                 from the portion: no call to storage
    GIVE_BACK_AFTER      write back what is left of it, and when the rest was spent
    storage is away      a small share of the limit, logged once; written when storage is back

The first portion is what one run needs. It doubles each time it is used up within HOLD, separately
for each kind, and is small again after a pause. Calls that are not written back in time count as
spent, and we do not spend them: for a few calls that is cheaper than a write.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections import Counter, deque
from collections.abc import Callable

from shared import stopwatch
from shared.budget.account import STORAGE_PAUSE, Account, StorageDown
from shared.budget.fleet_ledger import WINDOW, FleetLedger
from shared.budget.tenant_limit import TenantLimit
from shared.budget.work import AHEAD, Kind, Work, current
from shared.storage.documents import Documents

# The folder with the accounts.
BUDGETS = "budgets/"
# In seconds: how long a portion may be spent, and when the remainder is written back.
HOLD, GIVE_BACK_AFTER = 60.0, 40.0
# Shares of the limit: the largest portion, and what each instance may spend in five minutes on its
# own while storage is away. All instances that infra allows together stay below the limit.
LARGEST, ALONE = 0.02, 0.02
# So few calls are not worth a write.
_FEW = AHEAD
# How often an instance tries to write before it yields to others, and for how many seconds.
_TRIES, _BUSY = 5, 1.0


def _timer(seconds: float, call: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()


class FleetBudget:
    """The budget of one limited host, for one process; threads share it."""

    name = "The profile budget (PROFILE_CALLS_PER_5_MINUTES)"

    def __init__(
        self,
        host: str,
        documents: Documents,
        limit: TenantLimit,
        *,
        share: float,
        instance: str,
        ticks: Callable[[], float] = stopwatch.ticks,
        later: Callable[[float, Callable[[], None]], None] = _timer,
    ) -> None:
        """*share* is that of audits, *instance* a unique name, *later* calls once after a delay."""
        self._account = Account(
            f"{BUDGETS}{host}.json", documents, limit, share=share, instance=instance, ticks=ticks
        )
        self._ticks = ticks
        self._later = later
        self._free: Counter[Kind] = Counter()
        self._promised: dict[Work, int] = {}
        self._unwritten: Counter[tuple[int, Kind]] = Counter()
        self._alone: deque[float] = deque()
        # For each kind, the size of the last portion and when it was drawn.
        self._drawn: dict[Kind, tuple[int, float]] = {}
        self._ends = -math.inf
        self._not_before: dict[Kind, float] = {}
        self._gives_back = False
        self._lock = threading.Lock()

    def limit(self) -> int:
        """The tenant's limit as the fleet knows it; while storage is away, our last known one."""
        with self._lock:
            with contextlib.suppress(StorageDown):
                self._ledger()
            return self._account.last_limit

    def take(self) -> float:
        """Take one call for the `current` work; 0.0 if it may be made, else seconds to wait."""
        work = current()
        with self._lock:
            self._drop_what_is_over()
            left = self._promised.get(work)
            if left:
                self._promised[work] = left - 1
                return self._spent(work.kind)
            kind, calls = (work.kind, 1 + work.ahead) if left is None else (Kind.BEGUN, 1)
            try:
                seconds = self._ensure(kind, calls)
            except StorageDown:
                return self._take_alone(work.kind)
            if seconds:
                return seconds
            taken = self._from_free(kind, calls)
            if calls > 1:
                self._promised[work] = taken - 1
                work.endings.append(self._end)
            return self._spent(work.kind)

    def reserve(self, kind: Kind, calls: int) -> float:
        """Draw so many *calls* in advance; 0.0 if they are available, else seconds to wait."""
        with self._lock:
            self._drop_what_is_over()
            try:
                return self._ensure(kind, calls)
            except StorageDown:
                return STORAGE_PAUSE

    def give_back(self) -> None:
        """Write back calls no longer needed, and those spent. Raises no PhotoSyncError."""
        with self._lock:
            last = max((drawn_at for _, drawn_at in self._drawn.values()), default=-math.inf)
            seconds = last + GIVE_BACK_AFTER - self._ticks()
            if seconds >= 1:
                self._later(seconds, self.give_back)
                return
            self._gives_back = False
            self._drop_what_is_over()
            if self._free.total() <= _FEW:
                return
            # Even if the write fails, these must no longer be spent.
            self._free.clear()
            with contextlib.suppress(StorageDown):
                for _ in range(_TRIES):
                    if self._write(self._ledger(), Counter()):
                        return

    def _drop_what_is_over(self) -> None:
        if self._ticks() >= self._ends:
            self._free.clear()
            self._promised = dict.fromkeys(self._promised, 0)

    def _spent(self, kind: Kind) -> float:
        self._unwritten[math.ceil(self._ticks()), kind] += 1
        return 0.0

    def _end(self, work: Work) -> None:
        """A run has ended: free the calls that it did not need."""
        with self._lock:
            self._free[work.kind] += self._promised.pop(work, 0)

    def _from_free(self, kind: Kind, calls: int) -> int:
        """Take up to so many *calls*, the lowest kind first; returns how many were free."""
        taken = 0
        for each in reversed(Kind):
            found = min(self._free[each], calls - taken) if each >= kind else 0
            self._free[each] -= found
            taken += found
        return taken

    def _ensure(self, kind: Kind, calls: int) -> float:
        """Draw unless so many *calls* are free; 0.0, or seconds to wait. Raises Away."""
        at_hand = sum(number for each, number in self._free.items() if each >= kind)
        if at_hand >= calls:
            return 0.0
        seconds = self._not_before.get(kind, -math.inf) - self._ticks()
        return seconds if seconds > 0 else self._draw(kind, calls, at_hand)

    def _draw(self, kind: Kind, calls: int, at_hand: int) -> float:
        for _ in range(_TRIES):
            is_old = self._account.is_known()
            ledger = self._ledger()
            missing, room = ledger.fitting(kind, calls) - at_hand, ledger.room(kind)
            if missing <= 0:
                return 0.0
            portion = max(missing, self._next_portion(kind, ledger.limit))
            if room >= missing:
                if self._write(ledger, Counter({kind: min(room, portion)})):
                    self._drawn[kind] = portion, self._ticks()
                    return 0.0
            elif is_old:
                # Other instances may have given back calls since.
                self._account.forget()
            else:
                # Work without hurry waits for a whole portion instead of drawing each call.
                return self._wait(ledger, kind, missing if kind <= Kind.CHANGE else portion)
        return _BUSY

    def _wait(self, ledger: FleetLedger, kind: Kind, calls: int) -> float:
        """Seconds until calls are available; storage is not read before then."""
        seconds = ledger.wait(kind, ledger.fitting(kind, calls))
        self._not_before[kind] = self._ticks() + seconds
        if self._unwritten:
            # Otherwise they would stay held for a while, and expire from the window later.
            self._write(ledger, Counter())
        return seconds

    def _next_portion(self, kind: Kind, limit: int) -> int:
        last, drawn_at = self._drawn.get(kind, (0, -math.inf))
        is_busy = self._ticks() - drawn_at < HOLD
        return min(2 * last, math.ceil(limit * LARGEST)) if is_busy else 0

    def _ledger(self) -> FleetLedger:
        return self._account.ledger(self._unwritten, self._held())

    def _held(self) -> Counter[Kind]:
        """The drawn calls that may still be spent."""
        held = Counter(self._free)
        for work, calls in self._promised.items():
            held[work.kind] += calls
        return +held

    def _write(self, ledger: FleetLedger, drawn: Counter[Kind]) -> bool:
        """Write the account and keep what is *drawn*; False if another instance wrote first."""
        began, held = self._ticks(), self._held() + drawn
        if not self._account.write(ledger, held, seconds=HOLD):
            return False
        self._ends = began + HOLD
        self._unwritten.clear()
        self._free += drawn
        if held and not self._gives_back:
            self._gives_back = True
            self._later(GIVE_BACK_AFTER, self.give_back)
        return True

    def _take_alone(self, kind: Kind) -> float:
        """Without storage: take one of the few calls that each instance may make on its own."""
        now = self._ticks()
        while self._alone and now - self._alone[0] >= WINDOW:
            self._alone.popleft()
        if len(self._alone) < max(1, int(self._account.last_limit * ALONE)):
            self._alone.append(now)
            return self._spent(kind)
        return self._alone[0] + WINDOW - now
