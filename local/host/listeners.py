"""Every queue and timer trigger of the app, started and stopped together."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterable
from datetime import UTC, datetime

from local.host.bindings import Function, QueueTrigger, TimerTrigger
from local.host.invocations import Invocations
from local.host.queues import QueueListener
from local.host.settings import QueueOptions
from local.host.timers import TimerListener

log = logging.getLogger("host")


class Listeners:
    """Listens for each function that is not HTTP and not disabled."""

    def __init__(
        self, functions: Iterable[Function], options: QueueOptions, invocations: Invocations
    ) -> None:
        self._listeners: list[QueueListener | TimerListener] = []
        for function in functions:
            if function.disabled:
                log.info("Function '%s' is disabled", function.name)
            elif isinstance(function.trigger, QueueTrigger):
                self._listeners.append(QueueListener(function, options, invocations))
            elif isinstance(function.trigger, TimerTrigger):
                self._listeners.append(TimerListener(function, invocations, _now))
        self._tasks = [asyncio.create_task(each.listen()) for each in self._listeners]
        for task in self._tasks:
            task.add_done_callback(_end_host_if_broken)

    async def stop(self, seconds: float) -> None:
        """Take no further work and let the running work end within *seconds*."""
        await asyncio.gather(*(each.stop(seconds) for each in self._listeners))


def _now() -> datetime:
    return datetime.now(UTC)


def _end_host_if_broken(task: asyncio.Task[None]) -> None:
    # A listener that died of a bug of this host must not look like an idle queue.
    if not task.cancelled() and task.exception() is not None:
        log.critical("A listener broke", exc_info=task.exception())
        os.kill(os.getpid(), signal.SIGTERM)
