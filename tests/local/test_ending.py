"""
How children are ended in order, and where servers listen.

Windows is emulated: the name of the system is another, and what Python has only there is put in its
place. That shows which call is made, and not what Windows makes of it.
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
    """What a child hears."""
    heard: list[Any] = []

    def send(number: int) -> None:
        if fails:
            raise OSError(6, "The handle is invalid")
        heard.append(number)

    process: Any = Fake(send_signal=send, kill=lambda: heard.append("killed"))
    ending.ask(process, signal.SIGTERM)
    return heard


def test_a_child_is_asked(windows):
    """On Windows by a break, which is all that reaches one child alone and can be heeded."""
    assert ending.apart() == {"creationflags": 0x200}
    assert asked() == [BREAK]


def test_a_child_that_cannot_be_asked(windows):
    """As where there is no console: it is ended."""
    assert asked(fails=True) == ["killed"]


@pytest.mark.skipif(sys.platform == "win32", reason="it has other ways, which are emulated here")
def test_a_child_is_asked_by_a_signal():
    """Everywhere else by the one that it heeds, out of the terminal's reach."""
    assert ending.apart() == {"start_new_session": True}
    assert asked() == [signal.SIGTERM]


def test_what_a_program_heeds():
    """Whatever of these a system knows; on Windows the break is one of them."""
    known = {name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)}

    assert {number.name for number in ending.ASKS} == known


def test_a_worker_inherits_its_socket_alone(windows):
    """By its handle: Windows knows no pass_fds."""
    ours, its = socket.socketpair()
    with ours, its:
        handed = worker._inheriting(its)

        assert handed["startupinfo"].lpAttributeList == {"handle_list": [its.fileno()]}
        assert its.get_inheritable()
        assert not ours.get_inheritable()


def test_a_port_is_nobody_elses(windows, monkeypatch):
    """On Windows SO_REUSEADDR would let another program take it."""
    options: list[int] = []
    fake: Any = Fake(
        setsockopt=lambda level, option, value: options.append(option), bind=lambda address: None
    )
    monkeypatch.setattr(socket, "socket", lambda *kind: fake)

    loopback.bound(0)

    assert options == [socket.SO_EXCLUSIVEADDRUSE]  # type: ignore[attr-defined, unused-ignore]


def test_a_port_that_is_taken():
    """The error is the system's; nothing is left open."""
    with loopback.bound(0) as first:
        first.listen()
        with pytest.raises(OSError, match=r"."):
            loopback.bound(first.getsockname()[1])


def test_node_of_the_wheel(windows, tmp_path):
    """The wheel for Windows has it in its top folder."""
    assert node._node_of(tmp_path) == tmp_path / "node.exe"


def test_a_host_by_its_path(windows, tmp_path):
    """A backslash stands between folders, and quotation marks are taken off."""
    given = {"LOCAL_HOST_COMMAND": r'"C:\my tools\host.exe" --fast'}

    assert host_command._words(given["LOCAL_HOST_COMMAND"]) == [r"C:\my tools\host.exe", "--fast"]


def test_an_app_is_copied_for_core_tools(windows, tmp_path):
    """Few people may make links on Windows."""
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
