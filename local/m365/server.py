"""The running simulator: an HTTPS server for each host, on one event loop in one thread."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, replace

import uvicorn
from starlette.types import ASGIApp

from local import loopback
from local.m365 import hosts, names, proxy
from local.m365.config import HOSTS, Config
from local.m365.notifications.delivery import Delivery
from local.m365.tenant import renaming
from local.m365.tenant.clouds import CLOUDS
from local.m365.tenant.geo import Geo
from local.m365.tenant.records import Urls
from local.m365.tenant.tenant import Tenant

READY_WITHIN = 120.0
# The port that serves all real names, besides one port for each host.
_ALL = "names"


class Simulator:
    """Microsoft 365 for one tenant; `start` returns once every port accepts connections."""

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
        """Serve in a separate thread; raise the error that kept it from starting."""
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
    """A simulator that runs for the duration of a `with` block."""
    simulator = Simulator(config)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.stop()


async def serve(
    tenant: Tenant, config: Config, *, ready: Callable[[], object], stop: asyncio.Event
) -> None:
    """
    Serve all hosts of *tenant* until *stop*; call *ready* once all of them accept connections.
    """
    with contextlib.ExitStack() as open_ports:
        sockets = {
            host: open_ports.enter_context(loopback.bound(config.ports.get(host, 0)))
            for host in (*HOSTS, *_satellite_hosts(config))
        }
        ports = {host: bound.getsockname()[1] for host, bound in sockets.items()}
        urls = Urls(**{host: f"https://localhost:{ports[host]}" for host in HOSTS})
        async with contextlib.AsyncExitStack() as running:
            tenant.urls = urls
            if config.real_names:
                bound = open_ports.enter_context(loopback.bound(config.ports.get("proxy", 0)))
                find = functools.partial(proxy.port_of, tenant, ports)
                await running.enter_async_context(proxy.serving(tenant, bound, find))
                sockets[_ALL] = open_ports.enter_context(loopback.bound(config.ports.get(_ALL, 0)))
                tenant.urls = _named(tenant, urls, bound, sockets[_ALL])
            tasks = await running.enter_async_context(_serving(tenant, config, sockets))
            await running.enter_async_context(_delivering(tenant))
            ready()
            stopping = asyncio.create_task(stop.wait())
            # If one server ends, all end: `_serving` raises its error.
            await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()


def _named(tenant: Tenant, urls: Urls, proxy: socket.socket, all_names: socket.socket) -> Urls:
    """*urls* with their real names, and the two routes to them."""
    cloud = tenant.cloud
    urls = replace(
        urls,
        login=f"https://{cloud.login}",
        graph=f"https://{cloud.graph}",
        proxy=f"http://localhost:{proxy.getsockname()[1]}",
        names=f"https://localhost:{all_names.getsockname()[1]}",
    )
    return renaming.named(urls, tenant.sharepoint_name, cloud)


def _satellite_hosts(config: Config) -> list[str]:
    return [f"{name}-{kind}" for name in config.satellites for kind in ("my", "admin")]


@contextlib.asynccontextmanager
async def _serving(
    tenant: Tenant, config: Config, sockets: dict[str, socket.socket]
) -> AsyncIterator[list[asyncio.Task[None]]]:
    apps = {host: hosts.app(tenant, host) for host in sockets if host != _ALL}
    if _ALL in sockets:
        apps[_ALL] = names.ByName(tenant, dict(apps))
    servers = [_server(apps[host], config) for host in sockets]
    pairs = zip(servers, sockets.values(), strict=True)
    tasks = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in pairs]
    try:
        while not all(server.started for server in servers):
            await asyncio.wait(tasks, timeout=0.01, return_when=asyncio.FIRST_COMPLETED)
            if any(task.done() for task in tasks):
                raise RuntimeError("a server ended before it was ready")
        yield tasks
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def _delivering(tenant: Tenant) -> AsyncIterator[None]:
    delivery = Delivery(tenant)
    await delivery.start()
    try:
        yield
    finally:
        await delivery.stop()


# Seconds for which IIS keeps an idle connection open (facts/sharepoint.md section 5).
_KEEP_ALIVE = 120


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # All servers share the process; the caller decides what a signal means.
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # A clean TLS shutdown waits for the client's reply, which an idle client never sends.
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
            timeout_keep_alive=_KEEP_ALIVE,
            # A request that a fault keeps open must not keep the process alive.
            timeout_graceful_shutdown=1,
        )
    )


def tenant_of(config: Config) -> Tenant:
    tenant = Tenant(config.tenant_id.lower(), seed=config.seed)
    tenant.cloud = CLOUDS[config.cloud]
    tenant.identity_header = config.identity_header
    tenant.trusted_ca = str(config.ca) if config.ca else None
    for name, folder in config.satellites.items():
        tenant.satellites[name] = Geo(name, folder, tenant.new_id, tenant.now)
        tenant.satellites[name].empty()
    for each in config.apps:
        registered = each.app()
        tenant.apps[registered.client_id.lower()] = registered
        if each.site_grant:
            for geo in tenant.geos:
                geo.site_grants[registered.client_id.lower()] = each.site_grant
    return tenant


def readiness(tenant: Tenant) -> dict[str, object]:
    """The line that tells a parent process all URLs and ports."""
    return {"ready": True, **asdict(tenant.urls)}
