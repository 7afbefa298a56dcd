"""Runs manage.py in its own process, and enters the device code that it shows."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable

from local.m365.tenant.admins import GLOBAL
from tests import REPO
from tests.admin.said import Said
from tests.e2e.cloud import LiveCloud

_CODE = re.compile(r"enter the code (\w+)")


def manage(cloud: LiveCloud, *arguments: str, name: str = "", key: str = "") -> Said:
    """Run a command; enter a device code as *name*, or as an admin without one."""
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
        env=os.environ | variables,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr
        told = ""
        while line := process.stderr.readline():
            told += line
            if found := _CODE.search(line):
                roles = [] if name else [GLOBAL]
                who = {"name": name or "admin@contoso.com", "roles": roles}
                cloud.admin.control("POST", "/sign-in", {"userCode": found[1], **who})
                break
        out, err = process.communicate(timeout=120)
        return Said(process.returncode, out, told + err)


def with_key(cloud: LiveCloud) -> Callable[..., Said]:
    """`manage` with the cloud's key."""
    return functools.partial(manage, cloud, key=cloud.at.key)
