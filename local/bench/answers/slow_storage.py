"""
A proxy that delays each write to a storage account, to imitate one that is not on this machine.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Self
from urllib.parse import urlsplit

_WRITES = {"PUT", "POST", "DELETE"}
_MESSAGE = re.compile(r"POST /[^/ ]+/(?P<queue>[a-z0-9-]+)/messages[? ]")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class SlowStorage:
    """
    A context manager; `connection` leads through it to the queues of the given account.

    Each write is forwarded *delay* seconds after it arrived; writes on several connections wait
    concurrently. `messages` counts the sent messages by queue.
    """

    def __init__(
        self,
        connection: str,
        delay: float,
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        named = dict(part.partition("=")[::2] for part in connection.split(";"))
        self._queues = named["QueueEndpoint"]
        self._inside = urlsplit(self._queues)
        self._account = connection
        self._delay = delay
        self._sleep = sleep
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.connection = ""
        self.messages: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        opening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(opening, self._loop).result()
        port = self._server.sockets[0].getsockname()[1]
        slow = f"http://127.0.0.1:{port}{self._inside.path}"
        self.connection = self._account.replace(self._queues, slow)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, outer: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        inner, on = await asyncio.open_connection(self._inside.hostname, self._inside.port)
        answering = asyncio.create_task(_pass(inner, back))
        try:
            # Clients close the connection between two requests when they are done.
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    on.write(await self._request(outer))
                    await on.drain()
        finally:
            on.close()
            back.close()
            answering.cancel()

    async def _request(self, outer: asyncio.StreamReader) -> bytes:
        """The next request, after its delay."""
        head = await outer.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await outer.readexactly(int(length[1])) if length else b""
        line = head.partition(b"\r\n")[0].decode()
        if line.partition(" ")[0] in _WRITES:
            await self._sleep(self._delay)
        if found := _MESSAGE.match(line):
            self.messages[found["queue"]] += 1
        return head + body


async def _pass(answers: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await answers.read(65536):
            back.write(piece)
            await back.drain()
    back.close()
