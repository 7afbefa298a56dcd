"""
Queue triggers: one listener per function, by the rules of the storage extension.

Documented: Azure/azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.Storage.Common,
QueueListener.cs, QueueProcessor.cs and RandomizedExponentialBackoffStrategy.cs.
"""

import asyncio
import contextlib
import json
import logging
import os
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.storage.queue import QueueMessage

from local.host.bindings import Function, QueueTrigger
from local.host.invocations import Invocations, finish
from local.host.protocol import Datum
from local.host.settings import QueueOptions
from local.host.storage import Undecodable, decode

log = logging.getLogger("host")

POISON = "-poison"
_MINIMUM_POLL = timedelta(milliseconds=100)


def lock_seconds(environ: Mapping[str, str]) -> int:
    """
    Seconds for which a received message stays locked: ten minutes, as in Azure.

    LOCAL_HOST_LOCK_SECONDS lets a test receive a killed host's message again sooner.
    """
    return int(environ.get("LOCAL_HOST_LOCK_SECONDS", "600"))


def strands_poison(environ: Mapping[str, str]) -> bool:
    """
    Whether a poison queue's message that failed too often never reaches its function again.

    Queue extensions before 5.3.8, which some bundles contain, behave so; later ones try it every
    ten minutes (facts: storage-queue trigger). LOCAL_HOST_STRANDS_POISON=1 simulates the former.
    """
    return environ.get("LOCAL_HOST_STRANDS_POISON") == "1"


class Backoff:
    """The delay before the next poll of an empty queue."""

    def __init__(self, maximum: timedelta, rng: random.Random) -> None:
        self._maximum = maximum
        self._rng = rng
        self._exponent = 0
        self._current = timedelta()

    def reset(self) -> None:
        """Restart at the shortest delay: a message was found."""
        self._exponent = 0
        self._current = timedelta()

    def next_delay(self) -> timedelta:
        """The next delay: 100 ms, then about doubling up to the maximum."""
        if self._current == self._maximum:
            return self._current
        wait = _MINIMUM_POLL
        if self._exponent:
            wait += _MINIMUM_POLL * (self._rng.uniform(0.8, 1.2) * 2 ** (self._exponent - 1))
        self._exponent += 1
        self._current = min(wait, self._maximum)
        return self._current


class QueueListener:
    """Passes the messages of one queue to one function."""

    def __init__(
        self,
        function: Function,
        options: QueueOptions,
        invocations: Invocations,
        fail: Callable[[BaseException], None],
    ) -> None:
        """
        *fail* ends the host, as in the real host if storage fails in all of the client's tries.
        """
        assert isinstance(function.trigger, QueueTrigger)
        self._function = function
        self._trigger = function.trigger
        self._options = options
        self._invocations = invocations
        self._fail = fail
        self._queue = invocations.queue(self._trigger.connection, self._trigger.queue)
        self._lock = lock_seconds(os.environ)
        self._strands_poison = strands_poison(os.environ)
        self._running: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._stopping = False
        invocations.on_message(self._trigger.connection, self._trigger.queue, self._wake.set)

    async def listen(self) -> None:
        """Poll until stopped; a missing queue is accepted, and not created."""
        backoff = Backoff(self._options.max_polling_interval, random.Random())
        while not self._stopping:
            self._wake.clear()
            messages = await self._receive()
            if not messages:
                await self._idle(backoff.next_delay())
                continue
            backoff.reset()
            for message in messages:
                self._start(message)
            while len(self._running) > self._options.new_batch_threshold:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, seconds: float | None) -> None:
        """Take no more messages, and wait at most *seconds* for running ones."""
        self._stopping = True
        self._wake.set()
        await finish(self._running, seconds)

    async def _receive(self) -> list[QueueMessage]:
        try:
            found = await self._queue.receive(self._options.batch_size, self._lock)
        except HttpResponseError as error:
            # Documented: QueueListener.ExecuteAsync backs off after a server error, and lets every
            # other error out, such as a refused connection.
            if not (error.status_code or 0) >= 500:
                raise
            log.warning("Queue '%s' cannot be polled: %s", self._queue.name, error)
            return []
        return found or []

    async def _idle(self, delay: timedelta) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), delay.total_seconds())

    def _start(self, message: QueueMessage) -> None:
        task = asyncio.create_task(self._process(message))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    async def _process(self, message: QueueMessage) -> None:
        """
        Process one message.

        Its AzureError ends the host: QueueListener.ProcessMessageAsync does not handle a failure to
        store a message's outcome after all of the client's tries.
        """
        too_often = (message.dequeue_count or 0) > self._options.max_dequeue_count
        if too_often and (self._has_poison_queue() or self._strands_poison):
            await self._move_to_poison(message)
            return
        try:
            body = decode(message.content, as_base64=self._options.base64)
        except Undecodable as error:
            # Documented: QueueServiceClientProvider moves it as soon as it is received.
            log.warning("Queue '%s': message %s: %s", self._queue.name, message.id, error)
            await self._move_to_poison(message)
            return
        renewal = asyncio.create_task(self._renew(message))
        renewal.add_done_callback(self._done)
        try:
            succeeded = await self._execute(message, body)
        finally:
            renewal.cancel()
        await self._complete(message, succeeded)

    async def _renew(self, message: QueueMessage) -> None:
        while True:
            await asyncio.sleep(self._lock / 2)
            # Shielded: once Azure has moved the lock, the new pop receipt must be kept.
            if not await asyncio.shield(self._queue.hide(message, self._lock)):
                return

    async def _execute(self, message: QueueMessage, body: str | bytes) -> bool:
        outcome = await self._invocations.run(
            self._function,
            Datum(body, "string" if isinstance(body, str) else "bytes"),
            metadata(message, body),
            reason=f"New queue message detected on '{self._queue.name}'.",
        )
        return outcome.ok

    async def _complete(self, message: QueueMessage, succeeded: bool) -> None:
        if succeeded:
            if not await self._queue.delete(message):
                log.warning(
                    "Queue '%s': message %s was no longer ours", self._queue.name, message.id
                )
        elif not self._has_poison_queue():
            # Documented: a failed message of a poison queue keeps its lock; no tight loop.
            return
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._move_to_poison(message)
        else:
            await self._queue.hide(message, self._options.visibility_timeout.total_seconds())

    def _has_poison_queue(self) -> bool:
        name = self._trigger.queue
        return not name.endswith(POISON) and len(name) + len(POISON) <= 63

    async def _move_to_poison(self, message: QueueMessage) -> None:
        """Copy only the body to a new message, then delete the old one."""
        if not self._has_poison_queue():
            return
        name = self._trigger.queue + POISON
        log.warning(
            "Message has reached MaxDequeueCount of %d. Moving message to queue '%s'.",
            self._options.max_dequeue_count,
            name,
        )
        await self._invocations.send(self._trigger.connection, name, message.content)
        await self._queue.delete(message)


def metadata(message: QueueMessage, body: str | bytes) -> dict[str, Any]:
    """
    The metadata of a message that its function gets besides the body.

    Documented: QueueTriggerBinding.CreateBindingData; QueueTrigger only if the body is text.
    """
    known = {
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": Datum(message.dequeue_count, "int"),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }
    if isinstance(body, str):
        known["QueueTrigger"] = Datum(body, "string")
    return known


def _moment(moment: datetime | None) -> Datum:
    text = moment.isoformat() if moment else "9999-12-31T23:59:59+00:00"
    return Datum(json.dumps(text), "json")
