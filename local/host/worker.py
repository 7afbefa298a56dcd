"""
The worker as the host sees it: a process that runs functions, and is replaced when it dies.

Documented: Azure/azure-functions-host, RpcFunctionInvocationDispatcher.cs. When the process ends,
everything that it ran has failed. Another one is started; the third death in a row ends the host.
"""

import asyncio
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.host import protocol
from local.host.lifetime import Lifetime
from local.host.protocol import IndexedFunction, Result
from local.host.refusal import Refused

log = logging.getLogger("host")

# ErrorEventsThreshold, for one process.
_MAX_DEATHS = 3
# WorkerRestartErrorIntervalThresholdInMinutes: after a longer life, a death is the first again.
_DEATHS_APART = timedelta(minutes=30)
# ProcessRestartInterval: the minimum time between two restarts.
_RESTART_PAUSE = 5.0
# initializationTimeout of the Python worker.
_LOAD_TIMEOUT = 120.0
# Until the host has removed the dead process, it still sends work to it, which fails: measured
# (facts/functions.md, "Host and worker") as about one batch of messages at each death.
_REMOVAL_DELAY = 0.05

DIED = "The worker has died."
NO_WORKER = "Did not find any initialized language workers."


@dataclass(frozen=True)
class Process:
    """A worker process and the host's end of the socket to it."""

    popen: subprocess.Popen[bytes]
    channel: socket.socket


def start_process(app: Path, level: str, grace: timedelta | None) -> Process:
    """
    Start a worker for *app*; it outlives a killed host by at most *grace* (None: half an hour).
    """
    here, there = socket.socketpair()
    seconds = (grace or timedelta(minutes=30)).total_seconds()
    with there:
        popen: subprocess.Popen[bytes] = subprocess.Popen(
            [
                *(sys.executable, "-m", "local.host.worker_process"),
                *(str(there.fileno()), str(app), level, str(seconds)),
            ],
            # The output of functions belongs in the log; our stdout is for our parent process.
            stdout=sys.stderr.fileno(),
            **_inheriting(there),
        )
    return Process(popen, here)


def _inheriting(channel: socket.socket) -> dict[str, Any]:
    """Arguments of Popen that leave *channel* open in the child, and nothing else."""
    if sys.platform == "win32":
        channel.set_inheritable(True)
        handles = {"handle_list": [channel.fileno()]}
        return {"startupinfo": subprocess.STARTUPINFO(lpAttributeList=handles)}
    return {"pass_fds": [channel.fileno()]}


class Deaths:
    """Counts the deaths of workers, up to the number that a host tolerates."""

    def __init__(self) -> None:
        self._moments: list[float] = []

    def too_many(self, now: float) -> bool:
        """Count a death at *now*, in seconds; True if there were too many in a row."""
        if self._moments and now - self._moments[-1] > _DEATHS_APART.total_seconds():
            self._moments.clear()
        self._moments.append(now)
        return len(self._moments) >= _MAX_DEATHS


class Worker:
    """Runs functions in a separate process, which is replaced when it dies."""

    def __init__(
        self,
        first: Process,
        start_another: Callable[[], Process],
        lifetime: Lifetime,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._process = first
        self._start_another = start_another
        self._lifetime = lifetime
        self._clock = clock
        self._restarted = clock() - _RESTART_PAUSE
        self._deaths = Deaths()
        self._running: dict[str, asyncio.Future[Result]] = {}
        self._ready = asyncio.Event()
        self._removed_at = 0.0
        self._stopped = False

    async def start(self) -> list[IndexedFunction]:
        """The functions of the app, once they can run. Refuses an app that does not load."""
        functions = await self._connect()
        self._reading = asyncio.create_task(self._read())
        self._reading.add_done_callback(self._read_failed)
        return functions

    async def invoke(
        self,
        invocation_id: str,
        function_id: str,
        inputs: list[tuple[str, Any]],
        metadata: dict[str, Any],
        traceparent: str,
    ) -> Result:
        """Run one function to its end; any failure becomes a Result that is not ok."""
        if not self._ready.is_set() and self._clock() < self._removed_at:
            return _failed(NO_WORKER)
        # A waiting call may wake up late, when the new process is dead again.
        while not self._ready.is_set():
            await self._ready.wait()
        if self._stopped:
            return _failed(NO_WORKER)
        ended: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._running[invocation_id] = ended
        order = {
            "id": invocation_id,
            "function": function_id,
            "inputs": inputs,
            "metadata": metadata,
            "trace": traceparent,
        }
        try:
            await protocol.send(self._writer, order)
        except OSError:
            # The reader sees the same end, and fails this run with all the others.
            log.debug("The worker was gone before it got %s", invocation_id)
        try:
            return await ended
        finally:
            self._running.pop(invocation_id, None)

    def restart(self, why: str) -> None:
        """
        Replace the process; not counted as a death. Everything it ran has failed.

        The real dispatcher (RestartWorkerWithInvocationIdAsync) restarts only the worker that
        executes the invocation. One that still loads the app executes none: what took too long
        waited for it.
        """
        if not self._ready.is_set():
            log.warning("%s", why)
            return
        log.warning("%s Restarting the worker.", why)
        self._restarting = True
        self._process.popen.kill()

    def kill(self) -> None:
        """End the process without a replacement."""
        self._stopped = True
        self._process.popen.kill()

    async def _connect(self) -> list[IndexedFunction]:
        reader, writer = await asyncio.open_connection(sock=self._process.channel)
        try:
            message = await asyncio.wait_for(protocol.receive(reader), _LOAD_TIMEOUT)
        except TimeoutError:
            await self._reap()
            raise Refused(
                f"function_app.py could not be loaded within {_LOAD_TIMEOUT:.0f} seconds"
            ) from None
        if message is None:
            code = await self._reap()
            raise Refused(f"The worker ended with code {code} while it loaded function_app.py")
        if "refused" in message:
            raise Refused(message["refused"])
        self._reader, self._writer = reader, writer
        # A daemon: a host that refuses the app does not wait for it.
        threading.Thread(target=_shut_down_after_exit, args=(self._process,), daemon=True).start()
        self._restarting = False
        self._ready.set()
        found = message["functions"]
        return [IndexedFunction(name, id_, tuple(bindings)) for name, id_, bindings in found]

    async def _read(self) -> None:
        """Deliver results as they arrive, from one process after the other."""
        while not self._stopped:
            while (message := await protocol.receive(self._reader)) is not None:
                self._end(message.pop("id"), Result(**message))
            await self._replace()

    def _read_failed(self, reading: asyncio.Task[None]) -> None:
        # A bug of this host: no result would be delivered any more.
        if not reading.cancelled() and (error := reading.exception()) is not None:
            self._lifetime.end("The connection to the worker has failed.", error)

    def _end(self, invocation_id: str, result: Result) -> None:
        ended = self._running.get(invocation_id)
        if ended is not None and not ended.done():
            ended.set_result(result)

    async def _replace(self) -> None:
        self._ready.clear()
        self._removed_at = self._clock() + _REMOVAL_DELAY
        counts = not self._restarting
        for invocation_id in list(self._running):
            self._end(invocation_id, _failed(DIED))
        self._writer.close()
        code = await self._reap()
        if self._stopped:
            return
        if counts:
            log.error("The worker ended with code %s", code)
            self._count_death()
        while not self._stopped:
            await asyncio.sleep(max(0.0, self._restarted + _RESTART_PAUSE - self._clock()))
            if self._stopped:
                return
            self._restarted = self._clock()
            self._process = self._start_another()
            try:
                await self._connect()
            except Refused as refused:
                log.error("%s", refused)
                self._process.popen.kill()
                self._count_death()
                continue
            log.info("A new worker process is up")
            return

    async def _reap(self) -> int:
        popen = self._process.popen
        popen.kill()
        return await asyncio.get_running_loop().run_in_executor(None, popen.wait)

    def _count_death(self) -> None:
        if self._deaths.too_many(self._clock()):
            self._stopped = True
            # Wake the calls that wait for another worker: there is none.
            self._ready.set()
            self._lifetime.end("Exceeded the number of worker restarts.")


def _shut_down_after_exit(process: Process) -> None:
    """
    Close the connection when *process* has ended, after everything it sent.

    A process forked by a function keeps the other end open.
    """
    process.popen.wait()
    # The host may have closed it already.
    with suppress(OSError):
        process.channel.shutdown(socket.SHUT_RD)


def _failed(why: str) -> Result:
    return Result(ok=False, returned=None, outputs=(), error=why)
