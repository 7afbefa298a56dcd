"""
Code that works on one operating system only, and so needs an alternative for the others.

Two programs find most of it: `mypy --platform win32` finds names that exist on POSIX only, and
ruff finds /tmp, shells and files without an encoding (pyproject.toml). This test finds the rest. A
line that needs it says in a comment what happens on Windows: `# windows: ...`.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import REPO

NAMES = {
    "add_signal_handler": "signal.signal with call_soon_threadsafe: no loop on Windows has it",
    "add_reader": "a thread that reads: no loop on Windows waits for a pipe",
    "add_writer": "a thread that writes: no loop on Windows waits for a pipe",
    "open_unix_connection": "asyncio.open_connection(sock=...)",
    "create_unix_connection": "asyncio.open_connection(sock=...)",
    "start_unix_server": "a port of local.loopback",
    "create_unix_server": "a port of local.loopback",
    "symlink_to": "a copy: a link takes a right on Windows that few people have",
    "symlink": "a copy: a link takes a right on Windows that few people have",
    "send_signal": "local.ending.ask: on Windows it ends the process at once",
    "shlex": "admin.terminal.shell: PowerShell quotes in another way",
    "geteuid": "what is tried, and the error: Windows has no such number",
    "getuid": "what is tried, and the error: Windows has no such number",
    "SO_REUSEADDR": "local.loopback.bound: on Windows it lets another program take the port",
}
KEYWORDS = {
    "start_new_session": "local.ending.apart",
    "process_group": "local.ending.apart",
    "preexec_fn": "local.cloud.children.tethered",
    "pass_fds": "a startupinfo with a handle_list",
}
TEXTS = (
    (re.compile(r"/(tmp|dev|proc|etc|usr|bin|var)(/|$)"), "tempfile, os.devnull, psutil or PATH"),
    (re.compile(r"(.*/)?bin/(python|node|sh)\w*$"), "Scripts, or .exe without a folder"),
    (re.compile(r"(sh|bash|openssl)$"), "Python, or a program that the user chose"),
)
TEXT_FILES = {"read_text": 0, "write_text": 1}
ALLOWED = re.compile(r"# windows: \w+")


def sources() -> Iterator[Path]:
    """Every module that users of this repository may run."""
    for house in ("shared", "admin", "local", "tools", "infra"):
        for path in sorted((REPO / house).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path
    yield from (REPO / name for name in ("function_app.py", "manage.py", "run.py"))


def findings(code: str) -> Iterator[tuple[int, str]]:
    """Line and remedy of each construct in *code* that works on one system only."""
    tree = ast.parse(code)
    quiet = set(map(id, _docstrings(tree)))
    for node in ast.walk(tree):
        for remedy in _of(node) if id(node) not in quiet else ():
            number = getattr(node, "lineno", None) or node.value.lineno  # type: ignore[attr-defined]
            yield number, remedy


def _docstrings(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Attribute(attr=name) | ast.alias(name=name) | ast.Name(id=name) if name in NAMES:
            yield f"{name}: use {NAMES[name]}"
        case ast.keyword(arg=str(name)) if name in KEYWORDS:
            yield f"{name}: use {KEYWORDS[name]}"
        case ast.Constant(value=str(text)):
            for pattern, remedy in TEXTS:
                if pattern.match(text):
                    yield f"{text!r}: use {remedy}"
        case ast.Call():
            yield from _of_call(node)


def _of_call(node: ast.Call) -> Iterator[str]:
    named = {one.arg for one in node.keywords}
    match node.func:
        case ast.Attribute(attr=name) if name in TEXT_FILES and "encoding" not in named:
            if len(node.args) <= TEXT_FILES[name]:
                yield f'{name}: name the encoding, "utf-8"'
        case ast.Attribute(attr="rename") if len(node.args) == 1:
            yield "rename: use replace, which also works where the file is there"
        case ast.Attribute(value=ast.Name(id="os"), attr="rename"):
            yield "os.rename: use os.replace, which also works where the file is there"
    texts = any(
        one.arg in ("text", "universal_newlines")
        and isinstance(one.value, ast.Constant)
        and one.value.value
        for one in node.keywords
    )
    if texts and "encoding" not in named:
        yield 'text: say encoding="utf-8", or in which the program writes'


@pytest.mark.parametrize("path", [*sources()], ids=lambda path: path.relative_to(REPO).as_posix())
def test_nothing_works_on_one_system_only(path: Path):
    """Each line that works on one system only says why, and no other line does."""
    text = path.read_text("utf-8")
    found = dict(findings(text))
    allowed = {n for n, line in enumerate(text.splitlines(), 1) if ALLOWED.search(line)}

    assert {line: what for line, what in found.items() if line not in allowed} == {}
    assert allowed - found.keys() == set(), "these comments are no longer needed"


def test_every_file_can_be_checked_out_anywhere():
    """No name has characters that Windows reserves, and none differs from another only in case."""
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=REPO, text=True).split("\0")
    reserved = re.compile(
        r'[<>:"|?*\\]|(^|/)(con|prn|aux|nul|com\d|lpt\d)(\.|/|$)|[. ](/|$)', re.IGNORECASE
    )

    assert [name for name in names if reserved.search(name)] == []
    assert len({name.casefold() for name in names}) == len(set(names))
    assert max(map(len, names)) <= 120  # of the 260 that a path may have
