"""One POST over HTTPS with a time budget for the complete exchange, as Graph calls a webhook."""

from __future__ import annotations

import asyncio
import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11  # as local/host does: httpx would be two more packages for some forty lines less

LARGEST_ANSWER = 1 << 20
USER_AGENT = "photosync-simulated-graph"


class Unreachable(Exception):
    """No answer: no connection, no trusted certificate, or a broken connection."""


class TooSlow(Unreachable):
    """No complete answer within the budget."""


@dataclass(frozen=True)
class Reply:
    """The webhook's answer."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


async def post(
    url: str, body: bytes, *, content_type: str, trusted_ca: str | None, budget: float
) -> Reply:
    """
    The answer of *url*; connecting, sending and reading share the *budget*. Raises Unreachable.

    Not `requests` in a thread: its timeout applies to each read alone, so a slow endpoint gets more
    than the budget, and a thread cannot be cancelled when the simulator stops.
    """
    try:
        async with asyncio.timeout(budget):
            return await _exchange(url, body, content_type, trusted_ca)
    except TimeoutError as error:
        raise TooSlow(f"no answer within {budget:g} seconds") from error
    except (OSError, h11.ProtocolError) as error:
        raise Unreachable(type(error).__name__) from error


async def _exchange(url: str, body: bytes, content_type: str, trusted_ca: str | None) -> Reply:
    target = urlsplit(url)
    host = target.hostname or ""
    reader, writer = await asyncio.open_connection(
        host, target.port or 443, ssl=_trust(trusted_ca), server_hostname=host
    )
    try:
        connection = h11.Connection(h11.CLIENT)
        path = target.path or "/"
        request = h11.Request(
            method="POST",
            target=f"{path}?{target.query}" if target.query else path,
            headers=[
                ("Host", target.netloc),
                ("User-Agent", USER_AGENT),
                ("Content-Type", content_type),
                ("Content-Length", str(len(body))),
                ("Connection", "close"),
            ],
        )
        for event in (request, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        # Not `close`: a TLS shutdown waits for the other end, and would keep the socket open after
        # a cancelled POST, even when the simulator has stopped.
        writer.transport.abort()


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> Reply:
    status, headers, body = 0, dict[str, str](), bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {key.decode(): value.decode("latin-1") for key, value in event.headers}
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST_ANSWER:
                raise Unreachable("answer too large")
        elif isinstance(event, h11.EndOfMessage):
            return Reply(status, headers, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise Unreachable("connection closed")


@functools.lru_cache(maxsize=16)
def _trust(trusted_ca: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=trusted_ca)
