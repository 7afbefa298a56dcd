"""The proxy's refusals: malformed requests, and hosts of other tenants."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from local.m365 import proxy


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b"400"),
        (b"CONNECT graph.microsoft.com:443", b"400"),
        (b"CONNECT graph.microsoft.com:443 HTTP/1.1 and more", b"400"),
        (b"CONNECT evil.example:443 HTTP/1.1", b"502"),
        (b"GET http://graph.microsoft.com/ HTTP/1.1", b"502"),
    ],
)
def test_refused(sent: bytes, status: bytes, caplog: pytest.LogCaptureFixture):
    """With a status, and without a traceback in the simulator's log."""
    tenant: Any = SimpleNamespace(journal=[], now=lambda: datetime.now(UTC))

    async def answer() -> bytes:
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            async with proxy.serving(tenant, bound, lambda _: None):
                reader, writer = await asyncio.open_connection(*bound.getsockname())
                writer.write(sent + b"\r\n\r\n")
                received = await reader.read()
                writer.close()
        return received

    assert asyncio.run(answer()).startswith(b"HTTP/1.1 " + status)
    assert caplog.records == []
