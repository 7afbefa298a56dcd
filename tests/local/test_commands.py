"""Errors of the machine end `python -m local` with one sentence, without a traceback."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local import __main__ as local
from local import show
from local.bench import command as bench
from local.cloud.stack import Stack
from tests import REPO


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """The result of *line*."""
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The only line on stderr."""
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    return captured.err.rstrip()


@pytest.mark.parametrize("below", [".", "cloud"])
def test_file_where_the_folder_must_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], below: str
):
    """For example, a file is called .local."""
    file = tmp_path / "file"
    file.touch()

    assert local.main(["demo", "--folder", str(file / below)]) == 1
    assert error_line(capsys).endswith("it must be a folder, but it is a file; move the file away.")


@pytest.mark.parametrize("command", ["up", "demo", "soak", "bench"])
def test_folder_of_something_else(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
):
    """Other files with our names keep their content, and no files are added."""
    names = ("web.log", "host.log", "local.settings.json", "bench.json", "azurite/table")
    files = [tmp_path / name for name in names]
    (tmp_path / "azurite").mkdir()
    for file in files:
        file.write_text("theirs")
    before = set(tmp_path.iterdir())
    # The handlers that `up` sets would remain after this test.
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(Stack, "_start", lambda _: pytest.fail("started"))
    monkeypatch.setattr(bench, "SUBJECTS", {})

    assert local.main([command, "--folder", str(tmp_path)]) == 1

    assert error_line(capsys) == (
        f"{tmp_path} holds files that the local cloud did not write: choose a new or an empty "
        "folder with --folder."
    )
    assert {file.read_text() for file in files} == {"theirs"}
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EACCES, "Could not use X: permission denied; ask its owner to delete it"),
        (errno.EPERM, "Could not use X: permission denied; ask its owner to delete it"),
        (errno.EROFS, "Could not use X: it is on a read-only disk; choose another place."),
        (errno.ENOSPC, "The disk is full: make room, then try again."),
        (errno.EISDIR, "Could not use X: it must be a file, but it is a folder"),
        (errno.ENAMETOOLONG, "Could not use X: its path is too long"),
        (errno.EIO, f"Could not use X: {os.strerror(errno.EIO)}."),
    ],
)
def test_file_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: int,
    sentence: str,
):
    """For example, another owner's folder or a full disk, as the system reports it."""

    def refused(stack: Stack) -> Stack:
        raise OSError(number, os.strerror(number), "X")

    monkeypatch.setattr(Stack, "__enter__", refused)

    assert local.main(["demo"]) == 1
    assert error_line(capsys).startswith(sentence)


def test_error_of_the_network_is_no_full_disk(monkeypatch: pytest.MonkeyPatch):
    """Sockets and `requests` raise OSError, too: an unexpected one keeps its traceback."""

    def broken(folder: Path) -> int:
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")

    monkeypatch.setattr(show, "main", broken)

    with pytest.raises(ConnectionRefusedError):
        local.main(["show"])


SHOW = """
import sys
from local import __main__ as local, show
show.main = lambda folder: print({text})
sys.exit(local.main(["show"]))
"""


def showing(folder: Path, text: str) -> str:
    """The command line of a `local show` that prints *text*, an expression."""
    program = folder / "show.py"
    program.write_text(SHOW.format(text=text), "utf-8")
    return f"PYTHONPATH='{REPO}' '{sys.executable}' '{program}'"


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", b"B\\xfcro \\u2603"), ("cp1252", b"B\xfcro \\u2603")]
)
def test_letters_that_a_terminal_cannot_show(tmp_path: Path, encoding: str, shown: bytes):
    """An old terminal shows an escape instead, and no traceback."""
    command = showing(tmp_path, "'B\\xfcro \\u2603'")
    line = f"PYTHONIOENCODING={encoding} PYTHONUTF8=0 {command}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)

    assert done.stdout.rstrip() == shown


@pytest.fixture
def talkative(tmp_path: Path) -> str:
    """A command that prints more than a pipe holds, as `local show` of many users does."""
    return showing(tmp_path, "'synced\\n' * 1_000_000")


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_reader_that_has_seen_enough(talkative: str):
    """With `| head` there is no error text; the exit code is 128 plus SIGPIPE, as in a shell."""
    done = shell(f"{talkative} | head -1; exit ${{PIPESTATUS[0]}}")

    assert (done.returncode, done.stdout, done.stderr) == (141, "synced\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full there")
def test_output_onto_a_full_disk(talkative: str):
    """Output that cannot be written is an error."""
    done = shell(f"{talkative} > /dev/full")

    assert (done.returncode, done.stderr) == (1, "The disk is full: make room, then try again.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no such shell there")
def test_no_output_at_all(talkative: str):
    """Without stdout and stderr, the exit code is unchanged."""
    assert shell(f"{talkative} >&- 2>&-").returncode == 0


def test_unknown_queue(capsys: pytest.CaptureFixture[str]):
    """A queue that does not exist is refused with a sentence, without a traceback."""
    with pytest.raises(SystemExit, match="2"):
        local.main(["type", "x", "--queue", "nosuch"])
    assert "choose from" in capsys.readouterr().err


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """One word, and exit code 130, as in a shell."""

    def interrupted(folder: Path) -> int:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError

    monkeypatch.setattr(show, "main", interrupted)

    assert local.main(["show"]) == 130
    assert capsys.readouterr().err == "\nStopped.\n"
