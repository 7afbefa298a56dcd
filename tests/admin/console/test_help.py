"""The help texts: equal in docs/manage.md, and whole."""

from __future__ import annotations

import pytest

from admin.program import main
from tests.admin.console.conftest import COMMANDS
from tests.admin.console.help_page import MARK, PAGE, block
from tools import tables


def test_page_shows_the_help():
    """The page shows every help text; `python -m tests.admin.console.help_page` writes it."""
    assert tables.shown(PAGE, MARK) == block()


def test_every_command_is_explained():
    """The block has the program's help and that of each of its commands."""
    for name in ("", " grant", *(f" {command}" for command, *_ in COMMANDS)):
        assert f"Usage: manage.py{name} [OPTIONS]" in block()


def test_every_code_is_documented(capsys: pytest.CaptureFixture[str]):
    """The help lists every exit code with its meaning."""
    main(["--help"])
    out = capsys.readouterr().out

    assert "Exit codes" in out
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert f" {code}  " in out
