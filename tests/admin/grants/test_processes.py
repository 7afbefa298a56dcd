"""manage.py as a process: the question, and missing packages."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.m365.tenant.admins import GLOBAL
from tests import REPO
from tests.admin.command_result import CommandResult
from tests.admin.grants.conftest import MANAGED, environment, in_a_process
from tests.local.m365.simulator import Cloud

pytestmark = pytest.mark.server

ME = ["--identity", MANAGED, "--full-control"]


def interrupt(process: subprocess.Popen[str]) -> None:
    """
    Press Ctrl-C, and again if Python was about to read and so missed it; but not while the process
    ends, which a second one would kill.
    """
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)


def answered(tenant: Cloud, az: Path, typed: bytes) -> CommandResult:
    """The result of a grant if somebody types *typed* at its question; empty is Ctrl-C."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminal there")
    import pty

    keyboard, terminal = pty.openpty()
    variables = environment(tenant, az, GLOBAL)
    with (
        os.fdopen(keyboard, "wb", buffering=0) as keys,
        in_a_process(ME, variables, az, stdin=terminal) as process,
    ):
        os.close(terminal)
        assert process.stderr
        asked = ""
        while "[y/N]" not in asked:
            letter = process.stderr.read(1)
            assert letter, asked
            asked += letter
        if typed:
            keys.write(typed)
        else:
            interrupt(process)
        out, err = process.communicate(timeout=60)
        return CommandResult(process.returncode, out, asked + err)


@pytest.mark.parametrize(
    ("typed", "code", "granted"),
    [(b"n\n", 1, False), (b"\n", 1, False), (b"", 130, False), (b"y\n", 0, True)],
    ids=["no", "return", "Ctrl-C", "yes"],
)
def test_it_asks_first(tenant: Cloud, az: Path, typed: bytes, code: int, granted: bool):
    """Only "yes" changes anything; the plan is shown first."""
    result = answered(tenant, az, typed)

    assert result.code == code, result
    assert bool(tenant.tenant.apps[MANAGED].graph_roles) is granted
    assert "User.Read.All" in result.out
    assert "Traceback" not in result.err
    if code == 130:
        assert "repeat the command to continue" in result.err


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_no_terminal(tenant: Cloud, az: Path, more: list[str]):
    """Without a terminal, --yes or --dry-run is required, and checked before the sign-in."""
    variables = environment(tenant, az) | {"PATH": ""}
    with in_a_process([*ME, *more], variables, az) as process:
        out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (2, "")
    assert "--yes" in err


def run(program: str) -> tuple[str, str]:
    """What *program* prints, and its errors, in a new interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True, check=True
    )
    return done.stdout, done.stderr


def test_other_commands_import_no_package():
    """manage.py starts without msal and cryptography, and so does its help."""
    program = (
        "import sys\n"
        "from admin.program import help_texts\n"
        "help_texts()\n"
        "print([name for name in ('msal', 'cryptography', 'rich') if name in sys.modules])"
    )
    assert run(program) == ("[]\n", "")


def test_missing_package_is_named():
    """Without msal, `grant` says what to install."""
    program = (
        "import sys\n"
        "sys.modules['msal'] = None\n"
        "from admin.program import main\n"
        f"print(main(['grant', '--identity', '{MANAGED}', '--check', '--full-control']))"
    )
    sentence = "msal is missing: run pip install -r requirements-manage.txt first.\n"
    assert run(program) == ("2\n", sentence)
