"""The console's page, and a stand-in for its API, on a port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from shared.console.page import page
from tests.shared.console.page.stand_in import Answered, StandIn

KEY = "the-right-key"


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # a browser opens several connections at once

    def __init__(self, stand_in: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stand_in = stand_in

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that leaves a page drops its requests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/api/console":
            text, headers = page.page(sign_in=self.server.stand_in.role is not None)
            self._send(200, text.encode(), "text/html; charset=utf-8", headers)
        else:
            self._api(b"")

    def do_POST(self) -> None:
        self._api(self.rfile.read(int(self.headers["Content-Length"])))

    def _api(self, body: bytes) -> None:
        if (refusal := self._refusal()) is not None:
            return self._send(*refusal)
        try:
            found = self.server.stand_in.answer(self.command, self.path, body)
        except Answered as end:
            error = {"error": {"code": end.code, "message": str(end)}}
            return self._send(end.status, json.dumps(error).encode(), "application/json")
        if isinstance(found, bytes):
            return self._send(200, found, "image/jpeg")
        return self._send(200, json.dumps(found).encode(), "application/json")

    def _refusal(self) -> tuple[int, bytes, str, dict[str, str]] | None:
        """What the host answers, or App Service, before anybody asks the app."""
        role = self.server.stand_in.role
        if role is None:
            wrong = self.headers.get("x-functions-key") != KEY
            return (401, b"", "text/plain", {}) if wrong else None
        if role == "":
            return 302, b"", "text/plain", {"Location": "/.auth/login/aad"}
        # An order without it would be a form of another page's; the app itself says so.
        assert self.command == "GET" or self.headers["X-PhotoSync-Order"]
        return None

    def _send(
        self, status: int, body: bytes, kind: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": kind}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve the page and *stand_in* on a free port of this machine."""
    server = _Server(stand_in)
    stand_in.url = f"http://localhost:{server.server_address[1]}/api/console"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
