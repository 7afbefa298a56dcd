"""
How child processes are shut down cleanly, and where servers listen.

Windows is emulated by changing the platform's name and adding what Python has only there. It shows
which calls are made, but not how Windows reacts.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from types import SimpleNamespace as Fake
from typing import Any

import pytest

from local import ending, loopback
from local.cloud import host_command, node
from local.core_tools import workspace
from local.host import worker

BREAK = 1


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(signal, "CTRL_BREAK_EVENT", BREAK, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "STARTUPINFO", Fake, raising=False)
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", ~socket.SO_REUSEADDR, raising=False)


def asked(fails: bool = False) -> list[Any]:
    """The signal that a child gets."""
    heard: list[Any] = []

    def send(number: int) -> None:
        if fails:
            raise OSError(6, "The handle is invalid")
        heard.append(number)

    process: Any = Fake(send_signal=send, kill=lambda: heard.append("killed"))
    ending.ask(process, signal.SIGTERM)
    return heard


def test_a_child_is_asked(windows):
    """On Windows by Ctrl-Break, the only signal for a single child that it can handle."""
    assert ending.apart() == {"creationflags": 0x200}
    assert asked() == [BREAK]


def test_a_child_that_cannot_be_asked(windows):
    """For example, without a console: the process is killed."""
    assert asked(fails=True) == ["killed"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has other ways, which are emulated here")
def test_a_child_is_asked_by_a_signal():
    """Elsewhere by the given signal, in a session without the terminal."""
    assert ending.apart() == {"start_new_session": True}
    assert asked() == [signal.SIGTERM]


def test_signals_of_a_clean_shutdown():
    """All of these signals that the system has; on Windows Ctrl-Break is one of them."""
    known = {name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)}

    assert {number.name for number in ending.ASKS} == known


def test_a_worker_inherits_its_socket_alone(windows):
    """By its handle, since Windows has no pass_fds."""
    ours, its = socket.socketpair()
    with ours, its:
        handed = worker._inheriting(its)

        assert handed["startupinfo"].lpAttributeList == {"handle_list": [its.fileno()]}
        assert its.get_inheritable()
        assert not ours.get_inheritable()


def test_port_is_exclusive_on_windows(windows, monkeypatch):
    """On Windows SO_REUSEADDR would let another program take it."""
    options: list[int] = []
    fake: Any = Fake(
        setsockopt=lambda level, option, value: options.append(option), bind=lambda address: None
    )
    monkeypatch.setattr(socket, "socket", lambda *kind: fake)

    loopback.bound(0)

    assert options == [socket.SO_EXCLUSIVEADDRUSE]  # type: ignore[attr-defined, unused-ignore]


def test_a_port_that_is_taken():
    """The system's error is raised, and no socket is left open."""
    with loopback.bound(0) as first:
        first.listen()
        with pytest.raises(OSError, match=r"."):
            loopback.bound(first.getsockname()[1])


def test_node_of_the_wheel(windows, tmp_path):
    """The wheel for Windows has the program in its top folder."""
    assert node._node_of(tmp_path) == tmp_path / "node.exe"


def test_a_host_by_its_path(windows, tmp_path):
    """A backslash separates folders, and quotation marks are removed."""
    given = {"LOCAL_HOST_COMMAND": r'"C:\my tools\host.exe" --fast'}

    assert host_command._words(given["LOCAL_HOST_COMMAND"]) == [r"C:\my tools\host.exe", "--fast"]


def test_an_app_is_copied_for_core_tools(windows, tmp_path):
    """On Windows, files are copied, since few people may create links."""
    app, place = tmp_path / "app", tmp_path / "place"
    (app / "shared").mkdir(parents=True)
    place.mkdir()
    (app / "function_app.py").write_text("1")
    (app / "shared" / "a.py").write_text("2")

    workspace._link(app, place)

    assert not (place / "shared").is_symlink()
    assert not (place / "function_app.py").is_symlink()
    assert (place / "shared" / "a.py").read_text() == "2"


def test_the_program_behind_func_cmd(tmp_path):
    """On Windows npm's command is a script beside the packages."""
    package = tmp_path / "node_modules" / "azure-functions-core-tools" / "bin"
    package.mkdir(parents=True)
    (tmp_path / "func.cmd").touch()
    assert workspace.real_program(str(tmp_path / "func.cmd")) == str(tmp_path / "func.cmd")
    (package / "func.exe").touch()

    assert workspace.real_program(str(tmp_path / "func.cmd")) == str(package / "func.exe")
