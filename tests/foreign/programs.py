"""The third-party programs: installed once, pinned, and configured for the real host names."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from local.cloud.endpoints import Endpoints
from local.cloud.node import find_node, install_packages
from local.cloud.occupancy import MARK
from tests import REPO

CLIENTS = Path(__file__).with_name("clients")


def node_with_clients() -> Path:
    """A Node.js with the packages of package-lock.json. Raises NoNode."""
    found = find_node()
    install_packages(CLIENTS, found)
    return found


def python_with_clients() -> Path:
    """
    A Python of this version with the packages of requirements.txt, and none of ours.

    Raises CalledProcessError if they cannot be installed.
    """
    # Tests on two versions of Python may run at once. Not below tests/, where linters and tests of
    # the sources would take it for ours.
    folder = REPO / ".local" / f"foreign-python-{sys.version_info.major}.{sys.version_info.minor}"
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = CLIENTS / "requirements.txt"
    content = wanted.read_text("utf-8")
    folder.parent.mkdir(exist_ok=True)
    # So that a local cloud may use the folder afterwards.
    (folder.parent / MARK).touch()
    with FileLock(folder.parent / "foreign-python.lock"):
        if not done.exists() or done.read_text("utf-8") != content:
            uv = [sys.executable, "-m", "uv"]
            _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            install = ["pip", "install", "--quiet", "--python", str(python)]
            _run([*uv, *install, "--requirement", str(wanted)])
            done.write_text(content, "utf-8")
    return python


def way_to(at: Endpoints, home: Path) -> dict[str, str]:
    """The variables that lead an unmodified program to the tenant."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTPS_PROXY": at.proxy,
        "NODE_EXTRA_CA_CERTS": at.ca,
        "NODE_NO_WARNINGS": "1",
        "REQUESTS_CA_BUNDLE": at.ca,
        "SSL_CERT_FILE": at.ca,
    }


def output(command: Sequence[str | Path], environ: Mapping[str, str], *, code: int = 0) -> str:
    """The stdout of a program that ends with *code*; its stderr if that means a failure."""
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def _run(command: list[str]) -> None:
    # Without VIRTUAL_ENV, which names the tests' own environment.
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(command, stdout=sys.stderr, env=environ, check=True)
