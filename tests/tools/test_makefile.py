"""What is given to `make` reaches the program that run.py starts, as it was typed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import run
from tests import REPO

pytestmark = [
    pytest.mark.skipif(not shutil.which("make"), reason="make is not installed here"),
    pytest.mark.skipif(sys.platform == "win32", reason="what it starts here is a script of sh"),
]

PYTHON = """#!/bin/sh
printf '%s|%s' "$LOCAL_HOST_COMMAND" "$CONTRACT_TENANT"
printf '|%s' "$@"
"""


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything is installed already, and Python says what it was given."""
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    monkeypatch.chdir(REPO)
    (tmp_path / ".installed").write_text(json.dumps([run._digest(), []]), "utf-8")
    return tmp_path


def made(venv: Path, *given: str, **environ: str) -> str:
    free = {"HOST", "TENANT", "LOCAL_HOST_COMMAND", "CONTRACT_TENANT", "MAKEFLAGS", "MAKELEVEL"}
    free |= {"ARGS", "ONLY", "PYTHON"}
    kept = {name: value for name, value in os.environ.items() if name not in free}
    command = ["make", "--silent", f"VENV={venv}", *given]
    ended = subprocess.run(
        command, cwd=REPO, env={**kept, **environ}, capture_output=True, text=True, check=True
    )
    return ended.stdout


@pytest.mark.parametrize(
    ("target", "runs"), [("start", "-m|local|up"), ("e2e", "-m|pytest|tests/e2e")]
)
@pytest.mark.parametrize("host", ["func", "sh -c 'exit 3'", '"/my tools/host" --fast'])
def test_host(venv: Path, target: str, runs: str, host: str):
    """HOST may have quotation marks of its own."""
    assert made(venv, target, f"HOST={host}") == f"{host}||{runs}"


def test_host_of_the_environment(venv: Path):
    """There it is the machine's name, or what a compiler compiles for."""
    assert made(venv, "start", HOST="x86_64-conda-linux-gnu") == "||-m|local|up"
    assert made(venv, "start", LOCAL_HOST_COMMAND="func") == "func||-m|local|up"


def test_tenant(venv: Path):
    """A file of any name, or none."""
    asked = "|-m|pytest|tests/contract"
    assert made(venv, "contract", 'TENANT=it\'s a "b".json') == f'|it\'s a "b".json{asked}'
    assert made(venv, "contract") == f"|{asked}"


def test_arguments(venv: Path):
    """ARGS are words as in a shell, and ONLY is one row of the bench."""
    assert made(venv, "start", "ARGS=--set 'EXCLUDED_USERS=a b' --sign-in") == (
        "||-m|local|up|--set|EXCLUDED_USERS=a b|--sign-in"
    )
    assert made(venv, "bench", "ONLY=sweep") == "||-m|local|bench|--only|sweep"
    assert made(venv, "bench") == "||-m|local|bench"


def test_demo_is_what_make_makes(venv: Path):
    """Whoever types nothing but `make` sees the main job."""
    assert made(venv) == made(venv, "demo") == "||-m|local|demo"
