"""A console that answers as a healthy app does, and manage.py pointed at it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from admin.program import main
from tests.admin.command_result import CommandResult
from tests.admin.console.console_double import KEY, ConsoleDouble, ordered, queued, serving
from tests.doubles.console_answers import entry, overview, person, users

Manage = Callable[..., CommandResult]
COMMANDS = [
    ["status"],
    ["status", "anne@contoso.com"],
    ["replay", "--failed"],
    ["sweep"],
    ["sweep", "--wait"],
    ["failures"],
    ["check", "anne@contoso.com"],
    ["doctor"],
    ["uninstall", "--yes"],
    ["uninstall", "--cancel"],
]


@pytest.fixture
def console() -> Iterator[ConsoleDouble]:
    double = ConsoleDouble(
        routes={
            ("GET", "overview"): (200, overview()),
            ("GET", "users"): (200, users()),
            ("GET", "users/anne%40contoso.com"): (200, person()),
            ("POST", "users/anne%40contoso.com/replay"): queued,
            ("POST", "sweep"): (202, {"queued": True}),
            ("POST", "uninstall"): ordered,
            ("GET", "doctor"): (200, {"ok": True, "checks": []}),
        }
    )
    with serving(double) as served:
        yield served


@pytest.fixture
def manage(console, monkeypatch, capsys) -> Manage:
    """Run one command in this process, with the variables of a terminal that is set up."""
    for name in ("PHOTOSYNC_CA", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PHOTOSYNC_URL", console.url)
    monkeypatch.setenv("PHOTOSYNC_KEY", KEY)

    def run(*arguments: str) -> CommandResult:
        capsys.readouterr()
        code = main(arguments)
        result = CommandResult(code, *capsys.readouterr())
        assert KEY not in result.out + result.err, "the key is shown"
        return result

    return run


class FakeTerminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let somebody at the terminal type this."""
    return lambda typed: monkeypatch.setattr("sys.stdin", FakeTerminal(typed))


@pytest.fixture
def failed(console: ConsoleDouble) -> list[dict[str, Any]]:
    """Three failed users, on three pages, one of them empty."""
    everybody = [entry(1), entry(2, displayName='=cmd("x"), Ltd'), entry(3)]
    pages = users(*everybody[:2], token="t1"), users(token="t2"), users(everybody[2])
    console.answers("users", *pages)
    return everybody
