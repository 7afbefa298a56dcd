"""Child processes: waiting until ready, errors when they die, and always ending them."""

import sys
from pathlib import Path

import pytest

from local.cloud.children import Child, ChildDied

pytestmark = pytest.mark.server

SLEEPER = "import time; print('ready', flush=True); time.sleep(600)"


def test_child_becomes_ready(tmp_path):
    """wait_for returns the result for the wanted line; stopping ends the process."""
    with Child("one", [sys.executable, "-c", SLEEPER], log=tmp_path / "log") as child:
        assert child.wait_for(lambda line: line.upper() or None) == "READY"
    assert child.process.returncode is not None


def test_early_death_shows_the_end_of_the_log(tmp_path):
    """The error names the child, its exit code, and the last twenty lines it wrote."""
    code = "import sys; [print(f'line {n}.', file=sys.stderr) for n in range(30)]; sys.exit(3)"
    child = Child("one", [sys.executable, "-c", code], log=tmp_path / "log")
    with child, pytest.raises(ChildDied) as died:
        child.wait_for(lambda line: line)

    text = str(died.value)
    assert "one ended with code 3" in text
    assert "line 29." in text
    assert "line 10." in text
    assert "line 9." not in text


def test_silent_child_is_an_error(tmp_path):
    """A child that hangs is an error after the time limit."""
    with (
        Child("one", [sys.executable, "-c", SLEEPER], log=tmp_path / "log") as child,
        pytest.raises(ChildDied, match="was not ready in 0 s"),
    ):
        child.wait_for(lambda line: None, seconds=0.1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full there")
def test_log_that_cannot_be_written():
    """On a full disk, the child is killed and the error says why."""
    with Child("one", [sys.executable, "-c", SLEEPER], log=Path("/dev/full")) as child:
        assert child.ended.wait(60)
        with pytest.raises(ChildDied, match="one was stopped: its log /dev/full cannot be written"):
            child.wait_for(lambda line: None)
