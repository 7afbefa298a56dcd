"""The HTTPS side of the host: uvicorn on a socket that is already bound."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http import h11_impl

from local.host.kestrel import Kestrel, own_headers

# Kestrel sends any status that a function returns.
h11_impl.STATUS_PHRASES.update(dict.fromkeys(range(600, 1000), b""))
# More than Kestrel accepts, so that our Kestrel refuses it with the right status.
_MAX_EVENT_SIZE = 256 * 1024
# Seconds for which Kestrel keeps an idle connection open (functions.md section HTTP).
_KEEP_ALIVE = 130


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals alone and reports when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepts = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.accepts.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        running = set(self.server_state.tasks)
        if running:
            await asyncio.wait(running, timeout=self.config.timeout_graceful_shutdown)
        # uvicorn would wait for the client's reply to the TLS shutdown of an idle connection.
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)


class _Protocol(h11_impl.H11Protocol):
    """HTTP that answers malformed requests as Kestrel does: only 400."""

    def send_400_response(self, msg: str) -> None:
        headers = [*own_headers(), (b"Content-Length", b"0"), (b"Connection", b"close")]
        refused = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
        self.transport.write(self.conn.send(refused) or b"")
        self.conn.send(h11.EndOfMessage())
        self.transport.close()


class WebServer:
    """Serves one application until stopped; without a certificate it serves plain HTTP."""

    def __init__(
        self, listening: socket.socket, certificate: Path | None, key: Path | None
    ) -> None:
        self._listening = listening
        # Resolved now: the working directory changes to the app's folder later.
        self._certificate = certificate.resolve() if certificate else None
        self._key = key.resolve() if key else None
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://localhost:{listening.getsockname()[1]}"

    def serve_app(self, app: ASGIApp) -> None:
        """Start serving *app*."""
        config = uvicorn.Config(
            Kestrel(app),
            access_log=False,
            date_header=False,
            h11_max_incomplete_event_size=_MAX_EVENT_SIZE,
            http=_Protocol,
            lifespan="off",
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            ssl_certfile=self._certificate,
            ssl_keyfile=self._key,
        )
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listening]))

    async def accepting(self) -> None:
        """Return once connections are accepted."""
        await self._server.accepts.wait()

    async def stop(self, seconds: float) -> None:
        """Accept no more connections, and wait at most *seconds* for running requests."""
        self._server.config.timeout_graceful_shutdown = int(seconds)
        self._server.should_exit = True
        await self._serving
