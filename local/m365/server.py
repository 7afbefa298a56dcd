"""The running simulator: six HTTPS servers, one a host, on one loop in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from local.m365 import (
    entra,
    graph_batch,
    graph_groups,
    graph_photos,
    graph_users,
    graph_wire,
    sharepoint_routes,
)
from local.m365.config import HOSTS, Config
from local.m365.faults import FaultMiddleware
from local.m365.tenant import Tenant, Urls

READY_WITHIN = 30.0


class Simulator:
    """Microsoft 365 for one tenant; `start` returns once every port answers."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.tenant = tenant_of(config)
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="m365", daemon=True)

    @property
    def urls(self) -> Urls:
        return self.tenant.urls

    def start(self) -> None:
        """Serve from a thread of its own; raise what kept it from starting."""
        self._thread.start()
        if not self._ready.wait(READY_WITHIN):
            raise TimeoutError("the simulator was not ready in time")
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def stop(self) -> None:
        """Close every port and end the thread."""
        self._stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called start
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(stop.set)
        await serve(self.tenant, self.config, ready=self._ready.set, stop=stop)
        self._stop = lambda: None


@contextlib.contextmanager
def running(config: Config) -> Iterator[Simulator]:
    """A simulator for the length of a `with` block."""
    simulator = Simulator(config)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


async def serve(
    tenant: Tenant, config: Config, *, ready: Callable[[], object], stop: asyncio.Event
) -> None:
    """Serve all hosts of *tenant* until *stop*; call *ready* once all of them accept."""
    with contextlib.ExitStack() as open_ports:
        sockets = {
            host: open_ports.enter_context(_bind(config.ports.get(host, 0))) for host in HOSTS
        }
        await _serve_on(tenant, config, sockets, ready=ready, stop=stop)


async def _serve_on(
    tenant: Tenant,
    config: Config,
    sockets: dict[str, socket.socket],
    *,
    ready: Callable[[], object],
    stop: asyncio.Event,
) -> None:
    tenant.urls = Urls(
        **{host: f"https://localhost:{bound.getsockname()[1]}" for host, bound in sockets.items()}
    )
    servers = {host: _server(app(tenant, host), config) for host in HOSTS}
    tasks = [
        asyncio.create_task(server.serve(sockets=[sockets[host]]))
        for host, server in servers.items()
    ]
    stopping = asyncio.create_task(stop.wait())
    try:
        while not all(server.started for server in servers.values()):
            await asyncio.wait([*tasks], timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
            _raise_early_end(tasks)
        ready()
        await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        for server in servers.values():
            server.should_exit = True
        await asyncio.gather(*tasks)


def app(tenant: Tenant, host: str) -> ASGIApp:
    """What answers on *host*: its routes, behind the entrance of its service."""
    if host == "control":
        # No service of Microsoft's: never slow, never broken, not in the journal.
        return Starlette(routes=[*entra.identity_routes(tenant)])
    if host == "login":
        return FaultMiddleware(Starlette(routes=entra.routes(tenant)), tenant, service="login")
    if host == "graph":
        return FaultMiddleware(Starlette(routes=_graph(tenant)), tenant, service="graph")
    routes = sharepoint_routes.routes(tenant, host)
    return FaultMiddleware(Starlette(routes=routes), tenant, service="sharepoint", role=host)


def _graph(tenant: Tenant) -> list[Route]:
    return [
        *graph_batch.routes(tenant),
        *graph_photos.routes(tenant),
        *graph_users.routes(tenant),
        *graph_groups.routes(tenant),
        # Last, since it answers whatever no other route did.
        *graph_wire.routes(tenant),
    ]


class _Server(uvicorn.Server):
    def capture_signals(self) -> contextlib.AbstractContextManager[None]:  # type: ignore[override]
        # Six servers share the process; who runs them decides what a signal means.
        return contextlib.nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A clean TLS goodbye waits for the client's half, and an idle client never sends it.
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport is not None:
                transport.abort()
        await super().shutdown(sockets)


def _server(application: ASGIApp, config: Config) -> _Server:
    return _Server(
        uvicorn.Config(
            application,
            ssl_certfile=config.certificate,
            ssl_keyfile=config.key,
            http="h11",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # A request that a fault keeps open must not keep the process alive.
            timeout_graceful_shutdown=1,
        )
    )


def _bind(port: int) -> socket.socket:
    # Named TCP, or asyncio leaves Nagle's algorithm on and every answer waits 40 ms for an ACK.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound


def _raise_early_end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done():
            task.result()
            raise RuntimeError("a server ended before it was ready")


def tenant_of(config: Config) -> Tenant:
    tenant = Tenant(config.tenant_id.lower(), seed=config.seed)
    tenant.identity_header = config.identity_header
    tenant.trusted_ca = str(config.ca) if config.ca else None
    for each in config.apps:
        registered = each.app()
        tenant.apps[registered.client_id.lower()] = registered
        if each.site_grant:
            tenant.site_grants[registered.client_id.lower()] = each.site_grant
    return tenant


def readiness(tenant: Tenant) -> dict[str, object]:
    """The line that tells a parent process where everything is."""
    return {"ready": True, **asdict(tenant.urls)}
