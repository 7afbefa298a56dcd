"""What is given to `make` reaches the program that it starts, as it was typed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import REPO

PYTHON = """#!/bin/sh
printf '%s|%s' "$LOCAL_HOST_COMMAND" "$CONTRACT_TENANT"
"""


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """Where everything is installed already, and Python says what it was given."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    (tmp_path / ".installed").touch()
    return tmp_path


def made(venv: Path, *given: str, **environ: str) -> str:
    free = {"HOST", "TENANT", "LOCAL_HOST_COMMAND", "CONTRACT_TENANT", "MAKEFLAGS", "MAKELEVEL"}
    kept = {name: value for name, value in os.environ.items() if name not in free}
    command = ["make", "--silent", f"VENV={venv}", *given]
    ended = subprocess.run(
        command, cwd=REPO, env={**kept, **environ}, capture_output=True, text=True, check=True
    )
    return ended.stdout


@pytest.mark.parametrize("target", ["start", "e2e"])
@pytest.mark.parametrize("host", ["func", "sh -c 'exit 3'", '"/my tools/host" --fast'])
def test_host(venv: Path, target: str, host: str):
    """HOST may have quotation marks of its own."""
    assert made(venv, target, f"HOST={host}") == f"{host}|"


def test_host_of_the_environment(venv: Path):
    """There it is the machine's name, or what a compiler compiles for."""
    assert made(venv, "start", HOST="x86_64-conda-linux-gnu") == "|"
    assert made(venv, "start", LOCAL_HOST_COMMAND="func") == "func|"


def test_tenant(venv: Path):
    """A file of any name, or none."""
    assert made(venv, "contract", 'TENANT=it\'s a "b".json') == '|it\'s a "b".json'
    assert made(venv, "contract") == "|"
