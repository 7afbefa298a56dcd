"""The listeners for all queue and timer triggers of the app, started and stopped together."""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from local.host.bindings import Function, QueueTrigger, TimerTrigger
from local.host.host_storage import HostStorage
from local.host.invocations import Invocations
from local.host.lifetime import Lifetime
from local.host.queues import QueueListener
from local.host.settings import QueueOptions
from local.host.singleton import lease_seconds
from local.host.timers import TimerListener

log = logging.getLogger("host")


class Listeners:
    """Listens for each function that is neither HTTP nor disabled, once started."""

    def __init__(
        self,
        functions: Iterable[Function],
        options: QueueOptions,
        invocations: Invocations,
        lifetime: Lifetime,
        host: str,
        settings: Mapping[str, str],
    ) -> None:
        """*host* is the id that all hosts of this app share in storage."""
        self._lifetime = lifetime
        self._listeners: list[QueueListener | TimerListener] = []
        connection = settings.get("AzureWebJobsStorage")
        storage = HostStorage(connection, host, invocations.executor) if connection else None
        for function in functions:
            if function.disabled:
                log.info("Function '%s' is disabled", function.name)
            elif isinstance(function.trigger, QueueTrigger):
                self._listeners.append(QueueListener(function, options, invocations, self._fail))
            elif isinstance(function.trigger, TimerTrigger):
                timer = TimerListener(
                    function,
                    invocations,
                    _now,
                    storage,
                    self._fail,
                    lease_seconds=lease_seconds(settings),
                )
                self._listeners.append(timer)

    def start(self) -> None:
        """Start taking work."""
        self._tasks = [asyncio.create_task(each.listen()) for each in self._listeners]
        for task in self._tasks:
            task.add_done_callback(self._ended)

    def drain(self) -> None:
        """Take no more work; running work may finish without a time limit."""
        self._draining = asyncio.create_task(self.stop(None))

    async def stop(self, seconds: float | None) -> None:
        """Take no more work, and wait at most *seconds* for running work."""
        await asyncio.gather(*(each.stop(seconds) for each in self._listeners))

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        # Also for a bug of this host: a listener that failed must not look like an idle queue.
        self._lifetime.end("An unhandled exception has occurred.", error)


def _now() -> datetime:
    return datetime.now(UTC)
