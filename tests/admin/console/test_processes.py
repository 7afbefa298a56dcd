"""manage.py as a process: stopped, not installed, or with nowhere to write to."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import REPO
from tests.admin.console.console_double import KEY, Asked, ConsoleDouble
from tests.doubles.console_answers import overview

pytestmark = pytest.mark.server


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one child there")
def test_ctrl_c(console: ConsoleDouble):
    """Ctrl-C ends a command with 130 and a sentence, not with a traceback."""
    arrived, over = threading.Event(), threading.Event()

    def slow(asked: Asked) -> tuple[int, object]:
        arrived.set()
        over.wait(120)
        return 200, overview()

    console.routes["GET", "overview"] = slow
    command = [sys.executable, "manage.py", "--url", console.url, "--key", KEY, "status"]
    child = subprocess.Popen(
        command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert arrived.wait(120)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=120)
    finally:
        over.set()
        child.kill()

    assert child.returncode == 130
    assert out == ""
    assert err.strip() == "Stopped. Messages that are already queued stay queued."


def started(setup: str) -> subprocess.CompletedProcess[str]:
    """manage.py in an interpreter that has run *setup*."""
    program = f"import sys; sys.path.insert(0, '.'); {setup}\nimport manage; sys.exit(manage.run())"
    return subprocess.run([sys.executable, "-c", program], cwd=REPO, capture_output=True, text=True)


def test_program_that_is_not_installed():
    """Without the packages, the sentence says how to get them."""
    done = started("sys.modules['click'] = None")

    assert done.returncode == 2
    assert "requirements-manage.txt" in done.stderr
    assert "Traceback" not in done.stderr


def shell(line: str, console: ConsoleDouble) -> subprocess.CompletedProcess[str]:
    program = f"'{sys.executable}' manage.py --url {console.url} --key {KEY}"
    return subprocess.run(
        line.replace("MANAGE", program), shell=True, cwd=REPO, capture_output=True, text=True
    )


def test_closed_pager(console: ConsoleDouble):
    """A pager that is closed is no error."""
    assert shell("MANAGE status | true", console).stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full there")
def test_full_disk(console: ConsoleDouble):
    """Output that cannot be written is an error with a sentence."""
    done = shell("MANAGE status > /dev/full", console)

    assert done.returncode == 2
    assert done.stderr == "The disk is full: make room, then try again.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_closed_output(console: ConsoleDouble):
    """Without stdout and stderr the exit code is still right."""
    done = shell("MANAGE status >&- 2>&-", console)

    assert done.returncode == 0


def test_ctrl_c_while_it_loads(tmp_path: Path):
    """Ctrl-C while packages load prints nothing."""
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "__init__.py").touch()
    (tmp_path / "admin" / "program.py").write_text("raise KeyboardInterrupt\n", "utf-8")
    done = started(f"sys.path.insert(0, {str(tmp_path)!r})")

    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
