"""The local host as a process under test, around an app that the test writes itself."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil
import requests

from local.cloud.children import Child
from local.host.keys import Keys
from tests import REPO

T = TypeVar("T")
TIMEOUT = 120  # seconds, a bound against hangs
FAST_QUEUES = {
    "messageEncoding": "none",
    "maxPollingInterval": "00:00:00.2",
    "visibilityTimeout": "00:00:00",
}
BUNDLE = {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.*, 5.0.0)"}
HEAD = """
import logging
import azure.functions as func
app = func.FunctionApp()
"""


def eventually(condition: Callable[[], T | None], seconds: float = TIMEOUT) -> T:
    """Return the first true value of *condition*, or fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "the condition never became true"
        # The state of another process can only be polled.
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process still runs; a zombie has ended, and only waits for its parent."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class HostFiles:
    """An app folder with its settings and keys."""

    def __init__(
        self,
        folder: Path,
        code: str,
        *,
        settings: Mapping[str, str] | None = None,
        queues: Mapping[str, Any] = FAST_QUEUES,
        host: Mapping[str, Any] | None = None,
        host_json: Mapping[str, Any] | None = None,
    ) -> None:
        self.app = folder / "app"
        self.app.mkdir(parents=True)
        (self.app / "function_app.py").write_text(HEAD + code)
        extensions = {"queues": dict(queues), **(host or {})}
        content = {
            "version": "2.0",
            "extensionBundle": BUNDLE,
            "extensions": extensions,
            **(host_json or {}),
        }
        (self.app / "host.json").write_text(json.dumps(content))
        self.settings = folder / "local.settings.json"
        self._values = {"FUNCTIONS_WORKER_RUNTIME": "python"}
        self.set(settings or {})
        self.keys = Keys.generate()
        self.keys.save(folder / "keys.json")
        self.log = folder / "host.log"
        self.command = [
            *(sys.executable, "-m", "local.host", "--app", str(self.app)),
            *("--settings", str(self.settings), "--key-file", str(folder / "keys.json")),
        ]

    def set(self, settings: Mapping[str, str]) -> None:
        """Add app settings; they apply to hosts started later."""
        self._values |= settings
        self.settings.write_text(json.dumps({"IsEncrypted": False, "Values": self._values}))

    def refusal(self) -> tuple[int, str]:
        """Start a host that should refuse the app; return its exit code and stderr."""
        ended = subprocess.run(
            self.command, cwd=REPO, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        return ended.returncode, ended.stderr


class RunningHost:
    """The host process, as a context manager; `url` is its base URL."""

    def __init__(self, files: HostFiles, environ: Mapping[str, str] | None = None) -> None:
        self.files = files
        self.keys = files.keys
        self.child = Child(
            "host",
            files.command,
            log=files.log,
            cwd=REPO,
            environ=environ or None,
            stops_at=signal.SIGINT,
        )
        self.url: str = self.child.wait_for(_announced)

    def call(self, method: str, path: str, **kwargs: Any) -> requests.Response:
        """Send a request to the host with its host key."""
        headers = {"x-functions-key": self.keys.host, **kwargs.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=TIMEOUT, **kwargs)

    def log(self) -> str:
        return self.files.log.read_text()

    def logged(self, text: str, count: int = 1) -> str:
        """Wait until the log contains *text* at least *count* times, and return the log."""
        return eventually(lambda: self.log() if self.log().count(text) >= count else None)

    def __enter__(self) -> "RunningHost":
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop()


def raw(url: str, request: bytes) -> tuple[int, bytes, bytes]:
    """Send *request* unchanged; returns status, head and body of the answer."""
    at = urlsplit(url)
    with socket.create_connection((at.hostname or "", at.port or 0), TIMEOUT) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            head = b"".join(iter(lambda: answer.readline().strip() + b"\n", b"\n"))
            body = answer.read() if b"Connection: close" in head else b""
    return int(head.split()[1]), head, body


def posted(url: str, path: str, *headers: str) -> int:
    """The status of a POST that announces a body but does not send it."""
    lines = "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", *headers, "", ""])
    return raw(url, lines.encode("latin-1"))[0]


def _announced(line: str) -> str | None:
    if not line.startswith("{"):
        return None
    return str(json.loads(line)["functions"])
