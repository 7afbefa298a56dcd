"""Arguments of `make` reach the program that run.py starts, unchanged."""

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
    """An environment that is already installed; its Python prints its arguments."""
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
    """HOST may contain quotation marks."""
    assert made(venv, target, f"HOST={host}") == f"{host}||{runs}"


CONTRACT = "|-m|pytest|tests/contract"


@pytest.mark.parametrize(
    ("given", "environ", "runs"),
    [
        (["start"], {"HOST": "x86_64-conda-linux-gnu"}, "||-m|local|up"),
        (["start"], {"LOCAL_HOST_COMMAND": "func"}, "func||-m|local|up"),
        (["contract", 'TENANT=it\'s a "b".json'], {}, f'|it\'s a "b".json{CONTRACT}'),
        (["contract"], {}, f"|{CONTRACT}"),
        (["start", "ARGS=--set 'A=a b' --sign-in"], {}, "||-m|local|up|--set|A=a b|--sign-in"),
        (["bench", "ONLY=sweep"], {}, "||-m|local|bench|--only|sweep"),
        (["bench"], {}, "||-m|local|bench"),
        (["demo"], {}, "||-m|local|demo"),
        ([], {}, "||-m|local|demo"),
    ],
)
def test_arguments(venv: Path, given: list[str], environ: dict[str, str], runs: str):
    """
    HOST from the environment is the machine's name or a compiler's target, and is ignored.

    TENANT may be any file name, ARGS are words as in a shell, ONLY is a row of the bench, and
    plain `make` runs the demo.
    """
    assert made(venv, *given, **environ) == runs
