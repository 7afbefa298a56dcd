"""
A proxy that connects the real names of hosts to the servers of this simulator.

A client that sets `https_proxy` to it calls `https://graph.microsoft.com` and reaches the simulated
host. It knows no other host, and records each requested name in the journal. So the journal shows
whether a client tried to leave the tenant.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

from local.m365 import names
from local.m365.tenant.tenant import Tenant

_MAX_HEAD = 16 * 1024


def port_of(tenant: Tenant, ports: dict[str, int], target: str) -> int | None:
    """The port of the simulated host for *target*, such as `graph.microsoft.com:443`."""
    name, _, port = target.rpartition(":")
    host = names.host_called(tenant, ports, name)
    return ports[host] if host and port == "443" else None


@contextlib.asynccontextmanager
async def serving(
    tenant: Tenant, bound: socket.socket, find: Callable[[str], int | None]
) -> AsyncIterator[None]:
    """Listen on *bound*; *find* returns the local port of a target such as `host:443`."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        running.add(task)
        try:
            # A client that disconnects, or is cut off at shutdown, is no error.
            with contextlib.suppress(
                OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError
            ):
                await _connect(tenant, find, reader, writer)
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, sock=bound, limit=_MAX_HEAD)
    try:
        yield
    finally:
        server.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _connect(
    tenant: Tenant,
    find: Callable[[str], int | None],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    match head.split(b"\r\n", 1)[0].decode("latin-1").split(" "):
        case [method, target, _]:
            pass
        case _:
            await _refuse(writer, "400 Bad Request")
            return
    port = find(target) if method == "CONNECT" else None
    entry = {"at": tenant.now().isoformat(), "service": "proxy", "host": target}
    status = 200 if port else 502
    tenant.journal.append({**entry, "method": method, "path": "", "status": status})
    if port is None:
        await _refuse(writer, "502 Bad Gateway")
        return
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    try:
        directions = (_copy(reader, inner_writer), _copy(inner_reader, writer))
        await asyncio.wait(
            [asyncio.create_task(each) for each in directions], return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        inner_writer.close()


async def _refuse(writer: asyncio.StreamWriter, status: str) -> None:
    writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(64 * 1024):
            writer.write(piece)
            await writer.drain()
