"""
The worker: a process that contains only the engine and the app.

python -m local.host.worker_process FD APP LEVEL SECONDS, started by the host. It reports its
functions, then runs the requested ones over the socket FD. It ends when the host ends; if the host
was killed, its functions get SECONDS to finish first.
"""

import asyncio
import logging
import os
import signal
import socket
import stat
import sys
import threading
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.ending import ASKS
from local.host import logs, protocol
from local.host.engine import Datum, Engine, running_invocation
from local.host.lifetime import LEASH
from local.host.refusal import Refused

log = logging.getLogger("worker")


async def main(channel: socket.socket, app: Path, *, grace: float) -> None:
    """
    Load *app* and run its functions until the host is gone, and at most *grace* seconds longer.
    """
    _end_with_parent()
    reader, writer = await asyncio.open_connection(sock=channel)
    engine = Engine()
    try:
        functions = await engine.load(app)
    except Refused as refused:
        await protocol.send(writer, {"refused": str(refused)})
        return
    found = [[each.name, each.id, list(each.bindings)] for each in functions]
    await protocol.send(writer, {"functions": found})
    await _work(engine, reader, writer, grace)


async def _work(engine: Engine, reader: StreamReader, writer: StreamWriter, grace: float) -> None:
    running: set[asyncio.Task[None]] = set()
    while (order := await protocol.receive(reader, Datum)) is not None:
        task = asyncio.create_task(_run(engine, writer, order))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        log.warning("The host is gone; %d invocations still run", len(running))
        await asyncio.wait(running, timeout=grace)


async def _run(engine: Engine, writer: StreamWriter, order: dict[str, Any]) -> None:
    inputs = [(name, value) for name, value in order["inputs"]]
    result = await engine.invoke(
        order["id"], order["function"], inputs, order["metadata"], order["trace"]
    )
    answer: dict[str, Any] = {
        "id": order["id"],
        "ok": result.ok,
        "returned": result.returned,
        "outputs": result.outputs,
        "error": result.error,
    }
    # A host that is gone needs no answer.
    with suppress(OSError):
        try:
            await protocol.send(writer, answer)
        except protocol.NotSendable as error:
            log.error("%s", error)
            answer |= {"ok": False, "returned": None, "outputs": [], "error": str(error)}
            await protocol.send(writer, answer)


def _end_with_parent() -> None:
    """End when the host's parent has ended or lets go, but not when only the host has ended."""
    # A process in between may have replaced our stdin, and kept the variable.
    if LEASH not in os.environ or not stat.S_ISFIFO(os.fstat(0).st_mode):
        return

    def follow() -> None:
        while os.read(0, 1):
            pass
        os._exit(0)

    # A thread, since no loop on Windows waits for a pipe.
    threading.Thread(target=follow, name="leash", daemon=True).start()


def _start(channel: str, app: str, level: str, seconds: str) -> None:
    # Ctrl-C is for the host, which ends its worker when the functions have finished.
    for number in ASKS:
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
    logs.configure(level, running_invocation)
    connection = socket.socket(fileno=int(channel))
    # Not inherited by the app's child processes: the end of the connection is that of this process.
    connection.set_inheritable(False)
    asyncio.run(main(connection, Path(app), grace=float(seconds)))


if __name__ == "__main__":
    _start(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: Python would wait for functions whose time is over.
    os._exit(0)
