"""Timer triggers: one run at a time, at each occurrence of the schedule in UTC."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from local.host.bindings import Function, TimerTrigger
from local.host.engine import Datum
from local.host.invocations import Invocations, finish

log = logging.getLogger("host")

# A long wait is cut, so that a laptop that slept sees the right time soon after.
_LONGEST_SLEEP = 30.0


class TimerListener:
    """Runs one function on its schedule; a run that is late delays the next, it is not doubled."""

    def __init__(
        self, function: Function, invocations: Invocations, clock: Callable[[], datetime]
    ) -> None:
        assert isinstance(function.trigger, TimerTrigger)
        self._function = function
        self._trigger = function.trigger
        self._invocations = invocations
        self._clock = clock
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Wait for each occurrence and run the function, until stopped."""
        last: datetime | None = None
        if self._trigger.run_on_startup:
            last = self._clock()
            await self._run(last, reason="Timer fired at startup")
        while not self._stopping.is_set():
            due = self._trigger.schedule.next_after(self._clock())
            if await self._sleep_until(due):
                await self._run(last, reason=f"Timer fired at {due.isoformat()}")
                last = due

    async def stop(self, seconds: float) -> None:
        """Start no further run and let a running one end within *seconds*."""
        self._stopping.set()
        await finish(self._running, seconds)

    async def _sleep_until(self, due: datetime) -> bool:
        while (left := (due - self._clock()).total_seconds()) > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), min(left, _LONGEST_SLEEP))
            if self._stopping.is_set():
                return False
        return not self._stopping.is_set()

    async def _run(self, last: datetime | None, *, reason: str) -> None:
        task = asyncio.create_task(self._invoke(last, reason))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        await asyncio.wait({task})

    async def _invoke(self, last: datetime | None, reason: str) -> None:
        value = timer_value(self._trigger, self._clock(), last)
        await self._invocations.run(self._function, value, reason=reason)


def timer_value(trigger: TimerTrigger, now: datetime, last: datetime | None) -> Datum:
    """
    Return what a timer function gets as its argument.

    Documented: TimerListener.InvokeJobFunction: without the schedule monitor there is no status.
    """
    status = {
        "Last": (last or datetime.min.replace(tzinfo=UTC)).isoformat(),
        "Next": trigger.schedule.next_after(now).isoformat(),
        "LastUpdated": (last or datetime.min.replace(tzinfo=UTC)).isoformat(),
    }
    value: dict[str, Any] = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status if trigger.monitored else None,
        "IsPastDue": False,
    }
    return Datum(json.dumps(value), "json")
