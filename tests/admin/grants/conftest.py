"""An admin's terminal with an Azure CLI, in front of a simulated tenant."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from admin.program import main
from local.m365.tenant.admins import GLOBAL
from local.m365.tenant.records import App
from tests import REPO
from tests.admin.command_result import CommandResult
from tests.local.m365.simulator import TENANT_ID, TIMEOUT, Cloud

STAND_IN = Path(__file__).with_name("az_stand_in.py")
MANAGED = "0a1c9a3e-6f0e-4a60-9d51-1f5e0b3ad0a1"


@pytest.fixture
def tenant(running_tenant: Cloud) -> Cloud:
    """A tenant with its apps as they were, and a new managed identity without any right."""
    running_tenant.renew()
    simulated = running_tenant.tenant
    simulated.apps = {key: app for key, app in simulated.apps.items() if app.name == "App"}
    simulated.apps[MANAGED] = App(MANAGED, managed_identity=True, name="id-photosync")
    simulated.site_grants.pop(MANAGED, None)
    return running_tenant


def install_az(folder: Path) -> Path:
    """Put an `az` into *folder*, which then goes onto PATH."""
    folder.mkdir(exist_ok=True)
    script = folder / "az"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{STAND_IN}" "$@"\n')
    script.chmod(0o755)
    return folder


def environment(tenant: Cloud, az: Path, *roles: str) -> dict[str, str]:
    """The variables of a terminal of an admin with these directory roles."""
    urls = tenant.tenant.urls
    return {
        "PATH": f"{az}{os.pathsep}{os.environ['PATH']}",
        "AZ_CONTROL": urls.control,
        "AZ_CA": str(tenant.certificates.ca),
        "AZ_ROLES": ";".join(roles),
        "PHOTOSYNC_CA": str(tenant.certificates.ca),
        "LOGIN_URL": urls.login,
        "GRAPH_URL": urls.graph,
        "SHAREPOINT_TENANT": "contoso",
        "TENANT_ID": TENANT_ID,
    }


@pytest.fixture
def az(tmp_path: Path) -> Path:
    return install_az(tmp_path / "bin")


Grant = Callable[..., CommandResult]


@pytest.fixture
def grant(tenant, az, monkeypatch, capsys, tmp_path) -> Grant:
    """
    Run `manage.py grant` in this process, in a folder of its own, as a Global Administrator.

    No token may be shown: neither in tables nor in JSON, and not on stderr.
    """
    monkeypatch.chdir(tmp_path)
    for name in ("M365_CLOUD", "SHAREPOINT_MY_URL", "SHAREPOINT_GEOS", "PHOTOSYNC_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("PHOTOSYNC_KEY", raising=False)

    def run(*arguments: str, roles: tuple[str, ...] = (GLOBAL,), **changes: str) -> CommandResult:
        for name, value in (environment(tenant, az, *roles) | changes).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        result = CommandResult(main(["grant", *arguments]), *capsys.readouterr())
        assert "eyJ" not in result.out + result.err, "a token is shown"
        return result

    return run


@contextmanager
def somebody_signs_in(
    tenant: Cloud, *roles: str, decline: bool = False, name: str = "admin@contoso.com"
) -> Iterator[list[str]]:
    """Enter the next code of the device flow as soon as there is one; yields the scopes asked."""
    scopes: list[str] = []
    over = threading.Event()
    url = f"{tenant.tenant.urls.control}/_sim/sign-in"

    def enter() -> None:
        while not over.wait(0.01):
            for code in list(tenant.tenant.device_codes.values()):
                order = {"userCode": code.user_code, "name": name, "decline": decline}
                answer = requests.post(url, json={**order, "roles": roles}, timeout=TIMEOUT)
                scopes.extend(answer.json()["scopes"])
                return

    thread = threading.Thread(target=enter)
    tenant.tenant.switches.device_code_interval = 1
    thread.start()
    try:
        yield scopes
    finally:
        over.set()
        thread.join()


@contextmanager
def in_a_process(
    arguments: list[str], variables: dict[str, str], cwd: Path, *, stdin: int = subprocess.DEVNULL
) -> Iterator[subprocess.Popen[str]]:
    """`manage.py grant` as a process of its own, with pipes; it does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, str(REPO / "manage.py"), "grant", *arguments],
        cwd=cwd,
        env=os.environ | variables,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
