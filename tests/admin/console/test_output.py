"""Output is drawn in a terminal, plain elsewhere, and harmless in both."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

import pytest

from admin.acceptance.person import TerminalPerson
from admin.terminal.output import Output, clean
from tests import REPO
from tests.admin.console.conftest import FakeTerminal, Manage
from tests.admin.console.console_double import KEY, ConsoleDouble
from tests.doubles.console_answers import entry, overview, sweep


@pytest.mark.parametrize("stream", [io.StringIO, FakeTerminal])
def test_names_are_not_obeyed(stream: type[io.StringIO]):
    """A name with escape sequences, markup or turned direction is shown and not obeyed."""
    out = stream()
    output = Output(out, as_json=False)
    name = "[bold red]Mallory[/] :boom:\x1b[2J\x1b]0;title\x07\n\u202egpj.exe\ud800"
    output.table(["user"], [[name]])
    output.line(name)

    assert out.getvalue().count("[bold red]Mallory[/] :boom:") == 2
    assert not set("\x07\u202e\ud800") & set(out.getvalue())
    assert "\x1b[2J" not in out.getvalue()
    assert "\x1b]0" not in out.getvalue()


def test_clean_keeps_letters_of_every_script():
    """Letters of every script stay, joined as they are written."""
    for name in ("Jürgen O'Hara", "محمد\u200cعلی", "👩\u200d🔬", "李小龍"):
        assert clean(name) == name


@pytest.mark.parametrize(("as_json", "times"), [(False, 1), (True, 0)])
def test_progress_without_a_terminal(as_json: bool, times: int):
    """Each new stage is a line, once; --json prints only the end."""
    out = io.StringIO()
    with Output(out, as_json=as_json).progress("Processing") as report:
        for stage in ("", "queued", "queued", "copying"):
            report(0, 1, stage)

    assert out.getvalue() == "queued\ncopying\n" * times


def test_progress_in_a_terminal():
    """In a terminal the sentence follows the bar."""
    out = FakeTerminal()
    with Output(out, as_json=False).progress("Processing") as report:
        report(2, 5, "queued \x1b[2J[bold]")

    assert "2/5" in out.getvalue()
    assert "queued �[2J[bold]" in out.getvalue()


def test_no_bar_over_a_question(monkeypatch: pytest.MonkeyPatch):
    """The bar is hidden during a question, and returns after the answer."""
    out = FakeTerminal()
    output = Output(out, as_json=False)
    drawn: list[str] = []

    def confirm(*_: Any, **__: Any) -> bool:
        before = len(out.getvalue())
        report(2, 3, "the second")
        # What the bar's own thread does ten times a second.
        assert output._bar
        output._bar.refresh()
        drawn.append(out.getvalue()[before:])
        return True

    monkeypatch.setattr("click.confirm", confirm)
    monkeypatch.setattr("sys.stdin", FakeTerminal())
    with output.progress("Testing") as report:
        report(1, 3, "the first")
        TerminalPerson(output, by_hand=True).does("Open the page.")
        report(3, 3, "the third")

    assert drawn == [""]
    assert "the third" in out.getvalue()


def test_line_ends_stay():
    """Line ends of CSV are not changed on Windows."""
    written = io.BytesIO()
    output = Output(io.TextIOWrapper(written, "utf-8", newline="\r\n"), as_json=False)
    output.verbatim("a,b\r\n")

    assert written.getvalue() == b"a,b\r\n"


def test_plain_without_a_terminal(manage: Manage, console: ConsoleDouble):
    """In a pipe there are no lines drawn and no colours."""
    console.routes["GET", "overview"] = (200, overview(counts={"failed": 1}, failures=[entry(1)]))
    result = manage("status")

    assert "\x1b" not in result.out
    assert result.out.isascii()


def test_drawn_in_a_terminal(console: ConsoleDouble):
    """In a terminal there are tables in colour, and a bar while a sweep is followed."""
    runs = sweep(id="new", status="running", users=6)
    stages = [sweep(id="old"), *[runs] * 6, sweep(id="new")]
    console.answers("overview", *(overview(sweep=stage) for stage in stages))
    shown = in_terminal("--url", console.url, "--key", KEY, "sweep", "--wait")

    assert "Sweeping" in shown
    assert "━" in shown
    assert "6/12" in shown
    assert "finished" in shown
    assert in_terminal("--url", console.url, "--key", KEY, "sweep", "--json").startswith("{")


def in_terminal(*arguments: str) -> str:
    """The output of manage.py in a terminal."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminal there")
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    child = subprocess.Popen(
        [sys.executable, "manage.py", *arguments], cwd=REPO, stdout=theirs, env=environment
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(ours)
    assert child.wait(120) == 0
    return shown.decode()
