"""
Timer triggers: one run at a time, at each occurrence in UTC, on only one of the hosts.

Documented: Azure/azure-webjobs-sdk-extensions, TimerListener.cs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from local.host.bindings import Function, TimerTrigger
from local.host.host_storage import HostStorage
from local.host.invocations import Invocations, finish
from local.host.protocol import Datum
from local.host.schedule_monitor import NEVER, ScheduleMonitor, Status
from local.host.singleton import Singleton

log = logging.getLogger("host")

# A long sleep is split, so that a laptop notices the right time soon after it wakes up.
_LONGEST_SLEEP = 30.0


class TimerListener:
    """
    Runs one function on its schedule; a late run delays the next one and is not doubled.

    An occurrence that was missed while no host ran is run at start, if the timer is monitored.
    Without *storage* there is neither monitor nor lock.
    """

    def __init__(
        self,
        function: Function,
        invocations: Invocations,
        clock: Callable[[], datetime],
        storage: HostStorage | None,
        fail: Callable[[BaseException], None],
        *,
        lease_seconds: float,
    ) -> None:
        """*fail* ends the host, as in the real host when the lock of a timer is lost."""
        assert isinstance(function.trigger, TimerTrigger)
        self._function = function
        self._trigger = function.trigger
        self._schedule = function.trigger.schedule
        self._invocations = invocations
        self._clock = clock
        self._fail = fail
        self._lock = Singleton(storage, function.name, lease_seconds) if storage else None
        self._monitor: ScheduleMonitor | None = None
        if storage and self._trigger.monitored:
            self._monitor = ScheduleMonitor(storage, function.name)
        self._status: Status | None = None
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Wait for each occurrence and run the function, until stopped."""
        if self._lock is None:
            await self._run_schedule()
            return
        if not await self._lock.acquire(self._stopping):
            return
        keeping = asyncio.create_task(self._lock.keep())
        keeping.add_done_callback(self._lost)
        try:
            await self._run_schedule()
        finally:
            keeping.cancel()

    async def stop(self, seconds: float | None) -> None:
        """Start no more runs, and wait at most *seconds* for a running one."""
        self._stopping.set()
        await finish(self._running, seconds)
        if self._lock is not None:
            await self._lock.release()

    def _lost(self, keeping: asyncio.Task[None]) -> None:
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            self._fail(error)

    async def _run_schedule(self) -> None:
        past_due = False
        if self._monitor:
            self._status, past_due = await self._monitor.begin(self._schedule, self._clock())
        if past_due:
            await self._run("Timer fired since an occurrence was missed", past_due=True)
        elif self._trigger.run_on_startup:
            await self._run("Timer fired at startup")
        while not self._stopping.is_set():
            due = self._schedule.next_after(self._clock())
            if await self._sleep_until(due):
                await self._run(f"Timer fired at {due.isoformat()}")

    async def _sleep_until(self, due: datetime) -> bool:
        while (left := (due - self._clock()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(left, _LONGEST_SLEEP))
            if self._stopping.is_set():
                return False
        return not self._stopping.is_set()

    async def _run(self, reason: str, *, past_due: bool = False) -> None:
        task = asyncio.create_task(self._invoke(reason, past_due=past_due))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task})

    async def _invoke(self, reason: str, *, past_due: bool) -> None:
        began = self._clock()
        value = timer_value(self._status, past_due=past_due)
        await self._invocations.run(self._function, value, reason=reason)
        if self._monitor:
            self._status = Status.after_run(self._schedule, began)
            await self._monitor.write(self._status)


def timer_value(status: Status | None, *, past_due: bool = False) -> Datum:
    """
    The argument of a timer function; *status* is that of a monitored timer.

    Documented: TimerListener.InvokeJobFunction: without the schedule monitor there is no status.
    """
    value: dict[str, Any] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.as_json() if status else None,
        "IsPastDue": past_due,
    }
    return Datum(json.dumps(value), "json")


def value_by_hand(trigger: TimerTrigger, now: datetime) -> Datum:
    """The argument of a timer function that is run by hand."""
    status = Status(NEVER, trigger.schedule.next_after(now), NEVER)
    return timer_value(status if trigger.monitored else None)
