"""The host's side of the socket to a worker, without a worker process."""

from __future__ import annotations

import asyncio
import socket
import threading
from types import SimpleNamespace as Fake
from typing import Any

import pytest

from local.host import protocol, worker
from local.host.lifetime import Lifetime
from local.host.worker import DIED, Process, Worker

TIMEOUT = 120
LOADED = protocol.pack({"functions": []})


def process(*, loaded: bool = True) -> tuple[Process, socket.socket]:
    """A worker that may have loaded its app, and its end of the socket."""
    ours, theirs = socket.socketpair()
    if loaded:
        theirs.sendall(LOADED)
    gone = threading.Event()
    popen: Any = Fake(
        kill=gone.set, wait=lambda: -9 if gone.wait(TIMEOUT) else None, was_killed=gone.is_set
    )
    return Process(popen, ours), theirs


def test_work_that_waits_for_a_worker_that_is_dead_again(monkeypatch: pytest.MonkeyPatch):
    """It goes to the next worker, or fails; it must not wait for its time limit."""
    receive = protocol.receive

    async def late(*given: Any) -> Any:
        message = await receive(*given)
        # The end of the connection is seen before the call that waits for the worker wakes up.
        for _ in range(3 if message else 0):
            await asyncio.sleep(0)
        return message

    async def run() -> None:
        (first, first_end), (second, dead), (third, dying) = (process() for _ in range(3))
        dead.close()
        following = iter((second, third))
        host = Worker(first, lambda: next(following), Lifetime())
        await host.start()
        first_end.close()
        while host._ready.is_set():
            await asyncio.sleep(0)
        running = asyncio.create_task(host.invoke("1", "f", [], {}, ""))
        reader, writer = await asyncio.open_connection(sock=dying)
        order = asyncio.create_task(receive(reader))
        assert (await asyncio.wait_for(order, TIMEOUT))["id"] == "1"
        writer.close()
        assert (await asyncio.wait_for(running, TIMEOUT)).error == DIED
        host.kill()
        host._reading.cancel()

    monkeypatch.setattr(worker, "_RESTART_PAUSE", 0.0)
    monkeypatch.setattr(worker, "_REMOVAL_DELAY", 0.0)
    monkeypatch.setattr(protocol, "receive", late)
    asyncio.run(run())


def test_worker_that_still_loads_is_not_restarted(monkeypatch: pytest.MonkeyPatch):
    """A run that took too long because it waited for the worker does not end that worker."""

    async def run() -> bool:
        (first, first_end), (second, second_end) = process(), process(loaded=False)
        host = Worker(first, lambda: second, Lifetime())
        await host.start()
        first_end.close()
        while host._process is first:
            await asyncio.sleep(0.01)
        host.restart("It took too long.")
        was_killed: bool = second.popen.was_killed()  # type: ignore[attr-defined]
        second_end.sendall(LOADED)
        await asyncio.wait_for(host._ready.wait(), TIMEOUT)
        host.kill()
        second_end.close()
        await host._reading
        return was_killed

    monkeypatch.setattr(worker, "_RESTART_PAUSE", 0.0)
    assert asyncio.run(asyncio.wait_for(run(), TIMEOUT)) is False
