"""The programs that others wrote: installed once, pinned, and shown the way to real names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from filelock import FileLock

from local.cloud.endpoints import Endpoints
from local.cloud.node import find_node, install_packages
from tests import REPO

CLIENTS = Path(__file__).with_name("clients")


def node_with_clients() -> Path:
    """A Node.js that has what package-lock.json names. Raises NoNode."""
    found = find_node()
    install_packages(CLIENTS, found)
    return found


def python_with_clients() -> Path:
    """
    A Python, of this version, that has what requirements.txt names, and nothing of ours.

    Raises CalledProcessError where they could not be installed.
    """
    # Tests on two versions of Python may be under way at once. Not among the tests, where linters
    # and tests of the sources would read it as ours.
    folder = REPO / ".local" / f"foreign-python-{sys.version_info.major}.{sys.version_info.minor}"
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = CLIENTS / "requirements.txt"
    content = wanted.read_text("utf-8")
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.parent / "foreign-python.lock"):
        if not done.exists() or done.read_text("utf-8") != content:
            uv = [sys.executable, "-m", "uv"]
            _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            install = ["pip", "install", "--quiet", "--python", str(python)]
            _run([*uv, *install, "--requirement", str(wanted)])
            done.write_text(content, "utf-8")
    return python


def way_to(at: Endpoints, home: Path) -> dict[str, str]:
    """The variables by which a program finds the tenant; nothing of the program is changed."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTPS_PROXY": at.proxy,
        "NODE_EXTRA_CA_CERTS": at.ca,
        "NODE_NO_WARNINGS": "1",
        "REQUESTS_CA_BUNDLE": at.ca,
        "SSL_CERT_FILE": at.ca,
    }


def _run(command: list[str]) -> None:
    # Not the environment of the tests: it names their own.
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(command, stdout=sys.stderr, env=environ, check=True)
