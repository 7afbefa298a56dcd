"""Installs the programs that others wrote: pinned, once, beside the scripts that use them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from filelock import FileLock

from local.cloud.node import find_node, install_packages

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
    folder, wanted = CLIENTS / ".venv", CLIENTS / "requirements.txt"
    python, done = folder / "bin" / "python", folder / "installed.txt"
    # Two runs of the tests, of two versions of Python, may be under way at once.
    content = f"# Python {sys.version}\n{wanted.read_text('utf-8')}"
    with FileLock(Path(tempfile.gettempdir()) / "photosync-foreign-python.lock"):
        if not done.exists() or done.read_text("utf-8") != content:
            uv = [sys.executable, "-m", "uv"]
            _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
            install = ["pip", "install", "--quiet", "--python", str(python)]
            _run([*uv, *install, "--requirement", str(wanted)])
            done.write_text(content, "utf-8")
    return python


def _run(command: list[str]) -> None:
    # Not the environment of the tests: it names their own.
    environ = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    subprocess.run(command, stdout=sys.stderr, env=environ, check=True)
