"""
The whole local cloud: Azurite, the simulated Microsoft 365, and the Functions host, which is our
own unless LOCAL_HOST_COMMAND names another (`host_command`).

    with Stack(Path(".local")) as stack:
        requests.get(stack.endpoints.functions + "/api/health", verify=stack.endpoints.ca)

Without *granted*, PhotoSync's registration has no rights, as after a first deployment.
"""

import contextlib
import errno
import json
import os
import random
import secrets
import shutil
import signal
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil
from azure.storage.queue import QueueServiceClient

from local.cloud.auth_settings import auth_settings
from local.cloud.azurite import Azurite
from local.cloud.certificates import Certificates, make_certificates
from local.cloud.children import Child, ChildDied
from local.cloud.endpoints import Endpoints
from local.cloud.host_command import host_command, starts_within
from local.cloud.occupancy import Occupancy
from local.cloud.proxies import bypassed
from local.cloud.registrations import (
    Registration,
    console_registration,
    make_registrations,
)
from local.host.keys import Keys
from local.loopback import bound

REPO = Path(__file__).resolve().parents[2]
_PROCESSES = ("azurite", "m365", "host")
# Created at deployment: the host's queue trigger waits for its queue, but does not create it.
_QUEUES = ("photo-sync", "photo-upkeep")
# Give up on a host that exits this many times in a row, each time within a minute.
_SHORT_LIVES, _SHORT = 5, 60.0
_TRIES = 100


class Stack:
    """
    A context manager: entering starts everything, leaving stops everything.

    With *cloud* (a national cloud) or *satellites* (names with their picture folder), Microsoft
    365's hosts have their real names and are reached through a proxy.
    *sign_in* requires sign-in to the console, at a page that asks for a name and a role.
    *storage_on_disk* is for thousands of messages: in memory, Azurite stops for seconds when it
    clears them once a minute.
    """

    endpoints: Endpoints

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        app: Path = REPO,
        log_storage: bool = False,
        storage_on_disk: bool = False,
        granted: bool = True,
        cloud: str = "",
        satellites: Mapping[str, str] | None = None,
        sign_in: bool = False,
    ) -> None:
        self._folder = folder.resolve()
        self._occupancy = Occupancy(self._folder)
        self._settings = dict(settings or {})
        self._app = app.resolve()
        self._log_storage = log_storage
        self._storage_folder = self._folder / "azurite" if storage_on_disk else None
        self._granted = granted
        self._cloud = cloud or "global"
        self._names = {
            "realNames": bool(cloud or satellites),
            "cloud": self._cloud,
            "satellites": satellites or {},
        }
        self._console_id = str(uuid.uuid4()) if sign_in else ""
        self._keys = Keys.generate()
        self._children: dict[str, Child] = {}
        self._crashed: list[Child] = []
        self._orphans: list[psutil.Process] = []
        self._given_up = False
        # Guards the host in `_children`, which another thread restarts.
        self._hosting = threading.RLock()

    @property
    def host_log(self) -> Path:
        """Everything that the host and the app logged."""
        return self._log("host")

    @property
    def storage_log(self) -> Path:
        """One line per request that storage answered, if the cloud was built with `log_storage`."""
        return self._log("azurite")

    @property
    def storage_process(self) -> int:
        """The id of Azurite's process."""
        return self._children["azurite"].process.pid

    def __enter__(self) -> Self:
        host_command(os.environ)  # Fails before anything is started if there is no host.
        self._occupancy.take()
        try:
            for old in (*map(self._log, _PROCESSES), self._endpoints_file):
                old.unlink(missing_ok=True)
            if self._storage_folder:
                shutil.rmtree(self._storage_folder, ignore_errors=True)
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def kill_host(self) -> None:
        """Kill the host as a crash would: it returns no messages, and its worker is orphaned."""
        with self._hosting:
            host = self._children.pop("host")
            self._orphans += psutil.Process(host.process.pid).children()
            host.kill()
            self._crashed.append(host)

    def orphans(self) -> int:
        """The workers of killed hosts that still finish their functions, and may write."""
        return sum(map(_lives, self._orphans))

    def kill_worker(self) -> bool:
        """
        Kill the worker of the host as a crash would; False if there is none at the moment.

        The host starts another; the third death in a row ends the host.
        """
        workers: list[psutil.Process] = []
        # Either may have ended already.
        with self._hosting, contextlib.suppress(psutil.NoSuchProcess):
            workers = psutil.Process(self._children["host"].process.pid).children()
            for worker in workers:
                worker.kill()
        return bool(workers)

    def start_host(self) -> None:
        """Start the host on the same port as before; restart it whenever it exits cleanly."""
        with self._hosting:
            host = self._start_host()
        threading.Thread(target=self._keep, args=(host,), name="host-keeper", daemon=True).start()

    def _start_host(self) -> Child:
        command = [
            *(*host_command(os.environ), "--app", str(self._app)),
            *("--settings", str(self._folder / "local.settings.json")),
            *("--key-file", str(self._folder / "keys.json"), "--port", str(self._host_port)),
            *("--certificate", str(self._certificates.certificate)),
            *("--key", str(self._certificates.key), "--ca", str(self._certificates.ca)),
        ]
        if self._console_id:
            command += ["--auth-file", str(self._folder / "auth.json")]
        # A host ignores SIGTERM.
        self._spawn("host", command, stops_at=signal.SIGINT)
        host = self._children["host"]
        host.wait_for(_ready_line, starts_within(os.environ))
        return host

    def _keep(self, host: Child) -> None:
        """
        Restart a host that exits with code 0 without being asked, as Azure does.

        The thread must live as long as the host that it started: see `Child`.
        """
        short_lives = 0
        while True:
            began = time.monotonic()
            host.ended.wait()
            with self._hosting:
                if self._children.get("host") is not host or host.process.wait() != 0:
                    return
                short_lives = short_lives + 1 if time.monotonic() - began < _SHORT else 0
                if short_lives == _SHORT_LIVES:
                    self._given_up = True
                    return
                self._note("The host has exited and is restarted, as Azure would do")
                self._crashed.append(host)
                try:
                    host = self._start_host()
                except ChildDied:
                    # Its log says why. It may end cleanly now or later.
                    self._given_up = True
                    return

    def _note(self, text: str) -> None:
        """Add our own line to the host's log."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        with self.host_log.open("a", encoding="utf-8") as log:
            log.write(f"{moment}.000Z WARNING platform: {text}\n")

    def change_settings(self, changes: Mapping[str, str]) -> None:
        """Rewrite the app settings with *changes*; the host reads them when it starts."""
        self._settings |= changes
        values = {**app_settings(self.endpoints), **self._settings}
        self._write("local.settings.json", {"IsEncrypted": False, "Values": values})

    def dead_children(self) -> list[str]:
        """Return the names of the processes that ended and will not be restarted."""
        return [
            name
            for name, child in list(self._children.items())
            if child.process.poll() is not None
            and (name != "host" or child.process.returncode != 0 or self._given_up)
        ]

    def _log(self, process: str) -> Path:
        return self._folder / f"{process}.log"

    @property
    def _endpoints_file(self) -> Path:
        return self._folder / "endpoints.json"

    def _start(self) -> None:
        azurite = Azurite(
            self.storage_log, folder=self._storage_folder, log_requests=self._log_storage
        )
        self._children["azurite"] = azurite.child
        self._certificates = make_certificates(self._folder)
        groups = ("SYNC_GROUP_ID", "EXCLUDED_GROUP_ID")
        group = any(self._settings.get(each) for each in groups)
        own, admin = make_registrations(self._folder, group=group, granted=self._granted)
        tenant_id = str(uuid.uuid4())
        self._host_port = _free_port()
        apps = [own.config, admin.config]
        if self._console_id:
            apps.append(console_registration(self._console_id, self._host_port))
        config = _simulator_config(tenant_id, self._certificates, apps) | self._names
        self._write("m365.json", config)
        command = [sys.executable, "-m", "local.m365", "--config", str(self._folder / "m365.json")]
        self._spawn("m365", command)
        storage = azurite.wait_until_ready().connection_string
        _make_queues(storage)
        simulator = self._children["m365"].wait_for(_ready_line)
        self.endpoints = self._describe(simulator, storage, tenant_id, own, admin)
        self._keys.save(self._folder / "keys.json")
        keys = self._settings.get("CONSOLE_KEYS", "true") == "true"
        self._write("auth.json", auth_settings(self.endpoints, keys=keys))
        self.change_settings({})
        self.start_host()
        self.endpoints.save(self._endpoints_file)

    def _spawn(
        self, name: str, command: list[str], stops_at: signal.Signals = signal.SIGTERM
    ) -> None:
        environ = {**os.environ, **bypassed(os.environ)}
        self._children[name] = Child(
            name, command, log=self._log(name), environ=environ, cwd=REPO, stops_at=stops_at
        )

    def _stop(self) -> None:
        with self._hosting:
            children = [*self._children.values()]
            self._children.clear()
        with contextlib.ExitStack() as stopping:
            # Last of all, when none of our processes writes there any more.
            stopping.callback(self._occupancy.leave)
            # An ExitStack runs backwards, so the host ends first and finishes its work while
            # storage and Microsoft 365 still run; after one failure, the others are still stopped.
            for child in children:
                stopping.callback(child.stop)
            for host in self._crashed:
                stopping.callback(host.stop)
            stopping.callback(self._endpoints_file.unlink, missing_ok=True)
        self._crashed.clear()

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        path = self._folder / name
        path.touch(mode=0o600)
        path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")

    def _describe(
        self,
        simulator: Mapping[str, str],
        storage: str,
        tenant_id: str,
        own: Registration,
        admin: Registration,
    ) -> Endpoints:
        return Endpoints(
            functions=f"https://localhost:{self._host_port}",
            key=self._keys.host,
            master_key=self._keys.master,
            graph=simulator["graph"],
            login=simulator["login"],
            sharepoint_my=simulator["my"],
            sharepoint_admin=simulator["admin"],
            sharepoint_root=simulator["root"],
            control=simulator["control"],
            ca=str(self._certificates.ca),
            storage=storage,
            tenant_id=tenant_id,
            client_id=admin.client_id,
            client_certificate=str(admin.certificate),
            client_state=secrets.token_urlsafe(32),
            app_client_id=own.client_id,
            app_certificate=str(own.certificate),
            proxy=simulator["proxy"],
            cloud=self._cloud,
            console_client_id=self._console_id,
        )


def app_settings(endpoints: Endpoints) -> dict[str, str]:
    """Return the app settings that connect the functions to this local cloud."""
    return {
        **_ways_to_microsoft_365(endpoints),
        "AzureWebJobsStorage": endpoints.storage,
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "PYTHON_THREADPOOL_THREAD_COUNT": "60",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT": "1048576",
        "TENANT_ID": endpoints.tenant_id,
        "CLIENT_ID": endpoints.app_client_id,
        "CLIENT_CERTIFICATE": endpoints.app_certificate,
        "SHAREPOINT_TENANT": "contoso",
        "WEBHOOK_URL": f"{endpoints.functions}/api/notifications?code={endpoints.key}",
        "CLIENT_STATE": endpoints.client_state,
        "RENEW_SCHEDULE": "0 17 5,17 * * *",
        "SWEEP_SCHEDULE": "0 42 * * * *",
        "CONSOLE_SIGN_IN": endpoints.console_client_id,
    }


def _ways_to_microsoft_365(endpoints: Endpoints) -> dict[str, str]:
    """
    Addresses on this machine, or a proxy and the cloud whose real host names the product knows.

    requests reads the lower-case variable.
    """
    if endpoints.proxy:
        return {"https_proxy": endpoints.proxy, "M365_CLOUD": endpoints.cloud}
    return {
        "LOGIN_URL": endpoints.login,
        "GRAPH_URL": endpoints.graph,
        "SHAREPOINT_MY_URL": endpoints.sharepoint_my,
        "SHAREPOINT_ADMIN_URL": endpoints.sharepoint_admin,
    }


def _simulator_config(
    tenant_id: str, certificates: Certificates, apps: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "tenantId": tenant_id,
        "certificate": str(certificates.certificate),
        "key": str(certificates.key),
        "ca": str(certificates.ca),
        "apps": apps,
        "seed": 1,
    }


def _make_queues(storage: str) -> None:
    with QueueServiceClient.from_connection_string(storage) as service:
        for name in _QUEUES:
            service.create_queue(name)


def _ready_line(line: str) -> dict[str, str] | None:
    if not line.startswith("{"):
        return None
    content: dict[str, str] = json.loads(line)
    return content if content.get("ready") else None


def _lives(process: psutil.Process) -> bool:
    # Its parent is dead: where nothing adopts it, it stays a zombie.
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _free_port() -> int:
    """
    A free port below those that a system hands out itself: from 32768 on Linux, 49152 elsewhere.

    The host opens it later, and again after each crash: in between, another program's connection
    could be given a port of the system's choice.
    """
    for port in random.sample(range(20_000, 32_768), _TRIES):
        with contextlib.suppress(OSError), bound(port):
            return port
    raise OSError(errno.EADDRINUSE, f"none of {_TRIES} ports from 20000 to 32767 is free")
