"""Runs manage.py in its own process, and enters the device code that it shows."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable

from local.m365.tenant.admins import GLOBAL
from tests import REPO
from tests.admin.command_result import CommandResult
from tests.e2e.cloud import LiveCloud

_CODE = re.compile(r"enter the code (\w+)")


def with_key(cloud: LiveCloud) -> Callable[..., CommandResult]:
    """`manage` with the cloud's key."""
    return functools.partial(manage, cloud, key=cloud.at.key)


def manage(
    cloud: LiveCloud, *arguments: str, name: str = "", key: str = "", **changes: str
) -> CommandResult:
    """
    Run a command with *key*, or enter a device code as *name*, or as an admin without one.

    *changes* are environment variables.
    """
    where = {"LOGIN_URL": cloud.at.login, "GRAPH_URL": cloud.at.graph}
    if cloud.at.proxy:
        # With real host names, the product knows them from the cloud's name.
        where = {"M365_CLOUD": cloud.at.cloud, "https_proxy": cloud.at.proxy}
    variables = {
        **where,
        "no_proxy": "localhost",
        "PATH": "",
        "PHOTOSYNC_URL": cloud.at.functions,
        "PHOTOSYNC_KEY": key,
        "PHOTOSYNC_CA": str(cloud.at.ca),
        "PHOTOSYNC_CLIENT_ID": "",
    }
    command = [sys.executable, str(REPO / "manage.py"), *arguments]
    with subprocess.Popen(
        command,
        env=os.environ | variables | changes,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr
        shown = "" if key else _enter_code(cloud, name, process.stderr)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err
        return CommandResult(process.returncode, out, shown + err)


def _enter_code(cloud: LiveCloud, name: str, lines: Iterable[str]) -> str:
    """Enter the code as soon as it is shown; returns the lines up to it, or all without one."""
    shown = ""
    for line in lines:
        shown += line
        if found := _CODE.search(line):
            who = {"name": name or "admin@contoso.com", "roles": [] if name else [GLOBAL]}
            cloud.admin.control("POST", "/sign-in", {"userCode": found[1], **who})
            break
    return shown
