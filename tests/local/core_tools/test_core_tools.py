"""Another host in place of ours: Core Tools, simulated by a script, and a custom command."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local import loopback
from local.cloud.host_command import NoHost, host_command
from local.cloud.stack import Stack
from local.core_tools.workspace import real_program
from tests import REPO
from tests.local.host.host_process import BUNDLE, HEAD

pytestmark = pytest.mark.server

CODE = """
import os

@app.route("settings", auth_level=func.AuthLevel.FUNCTION)
def settings(req: func.HttpRequest) -> str:
    return os.environ[req.params["name"]]
"""
FAKE = Path(__file__).with_name("fake_func.py")
IN_ERROR = """
import http.server, json, sys

class Host(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"state": "Error", "errors": ["host.json is bad"]}).encode())

port = int(sys.argv[sys.argv.index("--port") + 1])
http.server.HTTPServer(("127.0.0.1", port), Host).serve_forever()
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "function_app.py").write_text(HEAD + CODE)
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensionBundle": BUNDLE}))
    # The user's own settings, which differ from the stack's.
    (folder / "local.settings.json").write_text('{"Values": {"EXTRA": "mine"}}')
    return folder


def on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, code: str) -> Path:
    """Put a program of this name first on the PATH."""
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(f"#!{sys.executable}\n{code}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program


def assert_it_runs_the_app(stack: Stack) -> None:
    """It has the URL, keys and certificate of endpoints.json, and the stack's settings."""
    at = stack.endpoints
    for key, expected in ((at.key, (200, "1")), (at.master_key, (200, "1")), ("", (401, ""))):
        query = {"name": "EXTRA", "code": key}
        answer = requests.get(f"{at.functions}/api/settings", query, verify=at.ca, timeout=30)
        assert (answer.status_code, answer.text) == expected


def test_core_tools(tmp_path: Path, app: Path, monkeypatch: pytest.MonkeyPatch):
    """`func start` gets the same settings, keys and certificate, and ends with the stack."""
    monkeypatch.setenv("LOCAL_HOST_COMMAND", "func")
    # A variable in the environment would override the setting.
    monkeypatch.setenv("EXTRA", "of the environment")
    on_path(monkeypatch, tmp_path / "bin", "func", f"import runpy; runpy.run_path({str(FAKE)!r})")
    with Stack(tmp_path / "cloud", settings={"EXTRA": "1"}, app=app) as stack:
        assert_it_runs_the_app(stack)
        stack.kill_host()
        with pytest.raises(requests.ConnectionError):
            requests.get(stack.endpoints.functions, verify=stack.endpoints.ca, timeout=30)
        stack.start_host()
        assert_it_runs_the_app(stack)
        log = stack.host_log

    assert log.read_text().count("started by Core Tools") == 2
    assert (app / "local.settings.json").read_text() == '{"Values": {"EXTRA": "mine"}}'


def test_any_other_command(tmp_path: Path, app: Path, monkeypatch: pytest.MonkeyPatch):
    """It gets the arguments of `python -m local.host` after its own."""
    code = """
import os, sys
assert sys.argv[1] == "--of its own"
print("started by another", file=sys.stderr, flush=True)
os.execv(sys.executable, [sys.executable, "-m", "local.host", *sys.argv[2:]])
"""
    program = on_path(monkeypatch, tmp_path / "bin", "another host", code)
    command = shlex.join([program.name, "--of its own"])
    monkeypatch.setenv("LOCAL_HOST_COMMAND", command)
    with Stack(tmp_path / "cloud", settings={"EXTRA": "1"}, app=app) as stack:
        assert_it_runs_the_app(stack)
        assert "started by another" in stack.host_log.read_text()


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("func", "npm install --global azure-functions-core-tools@4"),
        ("no-such-host --fast", "there is no program 'no-such-host'"),
        ("'", "HOST is not a valid command line"),
    ],
)
def test_missing_host(tmp_path: Path, command: str, sentence: str):
    """`make start` and the tests say so in one sentence, before they start anything."""
    environ = {**os.environ, "PATH": str(tmp_path), "LOCAL_HOST_COMMAND": command}
    with pytest.raises(NoHost, match=sentence):
        host_command(environ)
    for arguments in (
        ["local", "up", "--folder", str(tmp_path / "cloud")],
        ["pytest", "--co", "-q"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=REPO,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert sentence in done.stderr.strip().splitlines()[-1]
    assert not list(tmp_path.glob("cloud/*.log"))


@pytest.mark.parametrize(
    ("code", "more", "sentence"),
    [
        (IN_ERROR, (), "The host has errors: ['host.json is bad']"),
        ("raise SystemExit(3)", (), "Core Tools did not start the app"),
        ("", ("--auth-file", "auth.json"), "Core Tools has no App Service authentication"),
    ],
)
def test_core_tools_that_cannot(
    tmp_path: Path,
    app: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    more: tuple[str, ...],
    sentence: str,
):
    """The reason is printed, and no process is left running."""
    on_path(monkeypatch, tmp_path / "bin", "func", code)
    (tmp_path / "keys.json").write_text('{"host": "h", "master": "m"}')
    (tmp_path / "settings.json").write_text('{"Values": {}}')
    # Bound and not listening, so that no other program gets the port.
    with loopback.bound(0) as reserved:
        port = str(reserved.getsockname()[1])
        done = subprocess.run(
            [
                *(sys.executable, "-m", "local.core_tools", "--app", str(app), "--port", port),
                *("--settings", str(tmp_path / "settings.json")),
                *("--key-file", str(tmp_path / "keys.json"), *more),
            ],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (done.returncode, done.stdout) == (1, "")
    assert sentence in done.stderr


def test_program_behind_the_command_of_npm(tmp_path: Path):
    """npm's command is a script; the program behind it would outlive the script."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib" / "main.js").touch()
    (tmp_path / "func").symlink_to(tmp_path / "lib" / "main.js")
    assert real_program(str(tmp_path / "func")) == str(tmp_path / "func")
    (tmp_path / "bin" / "func").touch()

    assert real_program(str(tmp_path / "func")) == str(tmp_path / "bin" / "func")
