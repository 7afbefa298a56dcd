"""Runs functions: first the engine, then the output bindings, then a log line."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from azure.core.exceptions import AzureError

from local.host.bindings import Function, QueueOutput
from local.host.logs import STORAGE_THREADS
from local.host.protocol import Datum, Result
from local.host.storage import Queue, encode
from local.host.tracing import span
from local.host.worker import Worker

log = logging.getLogger("host")


class BadOutput(ValueError):
    """A function set an output that its binding cannot send."""


@dataclass(frozen=True)
class Outcome:
    """What a trigger needs: whether everything succeeded, and the return value."""

    ok: bool
    returned: Any = None


class Invocations:
    """Runs functions and tracks those in progress."""

    def __init__(self, worker: Worker, *, base64: bool, timeout: timedelta | None) -> None:
        self._worker = worker
        self._base64 = base64
        self._timeout = timeout
        self.running = 0
        self.executor = ThreadPoolExecutor(64, thread_name_prefix=STORAGE_THREADS)
        self._queues: dict[tuple[str, str], Queue] = {}
        self._wakers: dict[tuple[str, str], list[Callable[[], None]]] = {}
        self._started: set[asyncio.Task[Outcome]] = set()

    def queue(self, connection: str, name: str) -> Queue:
        """The single client for this queue."""
        key = (connection, name)
        if key not in self._queues:
            self._queues[key] = Queue(connection, name, self.executor)
        return self._queues[key]

    def on_message(self, connection: str, name: str, wake: Callable[[], None]) -> None:
        """Call *wake* when this host itself sends a message to that queue."""
        self._wakers.setdefault((connection, name), []).append(wake)

    async def send(self, connection: str, name: str, text: str) -> None:
        """
        Store an encoded text and wake this host's listeners of that queue.

        Documented: the storage extension's SharedQueueWatcher does this for output bindings and the
        poison queue.
        """
        await self.queue(connection, name).send(text)
        for wake in self._wakers.get((connection, name), ()):
            wake()

    async def run(
        self,
        function: Function,
        value: Any,
        metadata: dict[str, Any] | None = None,
        *,
        reason: str,
        traceparent: str | None = None,
    ) -> Outcome:
        """Run *function*; its outputs are sent after it returned, and only if it succeeded."""
        invocation_id = str(uuid.uuid4())
        label = f"'Functions.{function.name}'"
        log.info("Executing %s (Reason='%s', Id=%s)", label, reason, invocation_id)
        started = time.monotonic()
        trace = span("") if traceparent is None else traceparent
        inputs = [(function.trigger.parameter, value)]
        self.running += 1
        try:
            result = await self._within_time(
                function, invocation_id, function.id, inputs, metadata or {}, trace
            )
            ok = await self._outcome(function, result)
        finally:
            self.running -= 1
        log.log(
            logging.INFO if ok else logging.ERROR,
            "Executed %s (%s, Id=%s, Duration=%dms)",
            label,
            "Succeeded" if ok else "Failed",
            invocation_id,
            round((time.monotonic() - started) * 1000),
        )
        return Outcome(ok, result.returned if ok else None)

    async def _within_time(self, function: Function, *order: Any) -> Result:
        """
        Run it in the worker, within the time that host.json allows.

        Documented: WebScriptHostExceptionHandler.OnTimeoutExceptionAsync: a running function cannot
        be stopped, so its worker is restarted, and everything else that ran there has failed too.
        """
        limit = self._timeout.total_seconds() if self._timeout else None
        try:
            return await asyncio.wait_for(self._worker.invoke(*order), limit)
        except TimeoutError:
            why = f"Timeout value of {self._timeout} exceeded by 'Functions.{function.name}'."
            self._worker.restart(why)
            return Result(ok=False, returned=None, outputs=(), error=why)

    async def _outcome(self, function: Function, result: Result) -> bool:
        if not result.ok:
            return False
        return await self._send_outputs(
            function, {**dict(result.outputs), "$return": result.returned}
        )

    async def _send_outputs(self, function: Function, values: dict[str, Any]) -> bool:
        try:
            for output in function.outputs:
                for item in items(values.get(output.parameter)):
                    await self._send_item(output, item)
        except (AzureError, ValueError) as error:
            log.error("Function '%s': its output was not stored: %s", function.name, error)
            return False
        return True

    async def _send_item(self, output: QueueOutput, item: str | bytes) -> None:
        text = encode(item, as_base64=self._base64)
        await self.send(output.connection, output.queue, text)

    def start(self, function: Function, value: Any, *, reason: str) -> None:
        """Run *function* without waiting for it."""
        task = asyncio.create_task(self.run(function, value, reason=reason))
        self._started.add(task)
        task.add_done_callback(self._started.discard)

    async def stop(self, seconds: float) -> None:
        """Wait at most *seconds* for the runs that `start` began."""
        await finish(self._started, seconds)


def items(datum: Datum | None) -> list[str | bytes]:
    """
    The messages in an output value.

    Documented: FunctionBinding.ReadAsEnumerable and BindAsyncCollectorAsync of the Functions host:
    a JSON array gives one message per item, even if it arrives as text; an object is serialized
    again, indented; texts inside an array stay unchanged.
    """
    if datum is None or datum.value is None:
        return []
    if datum.type == "bytes":
        return [datum.value]
    if datum.type == "string" and not _looks_like_json(datum.value):
        return [datum.value]
    try:
        value = json.loads(datum.value)
    except ValueError as error:
        raise BadOutput("the text begins and ends like JSON but is none") from error
    return [_text(item) for item in (value if isinstance(value, list) else [value])]


def _looks_like_json(text: str) -> bool:
    text = text.strip()
    return (text[:1], text[-1:]) in (("{", "}"), ("[", "]"))


def _text(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return str(item)
    return json.dumps(item, indent=2, ensure_ascii=False) if item is not None else ""


async def finish(tasks: Iterable[asyncio.Task[Any]], seconds: float | None) -> None:
    """Wait for *tasks*, at most *seconds* if given; tasks that still run then are abandoned."""
    waited = set(tasks)
    if not waited:
        return
    _, late = await asyncio.wait(waited, timeout=seconds)
    for task in late:
        task.cancel()
