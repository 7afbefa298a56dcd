"""A webhook for tests: HTTPS with the simulator's certificate, and answers that a test sets."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.cloud.certificates import Certificates

DEADLINE = 120.0


@dataclass(frozen=True)
class Call:
    """One POST that arrived."""

    path: str
    raw_query: str
    content_type: str
    body: bytes

    @property
    def token(self) -> str | None:
        return parse_qs(self.raw_query).get("validationToken", [None])[0]

    @property
    def items(self) -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = json.loads(self.body)["value"]
        return value


@dataclass(frozen=True)
class Answer:
    status: int = 202
    body: bytes = b""
    content_type: str = "text/plain"


def echo(call: Call) -> Answer:
    """The answer of a correct webhook."""
    if call.token is not None:
        return Answer(200, call.token.encode())
    return Answer()


@dataclass
class Webhook:
    """Every call so far; `answer` decides about the next ones."""

    url: str = ""
    answer: Callable[[Call], Answer] = echo
    calls: list[Call] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    def arrived(self, call: Call) -> None:
        with self._arrival:
            self.calls.append(call)
            self._arrival.notify_all()

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all notifications so far."""
        return [item for call in self.calls if call.token is None for item in call.items]

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Return once *condition* holds; it is checked after every call."""
        with self._arrival:
            assert self._arrival.wait_for(condition, DEADLINE), "the condition did not hold in time"


@contextmanager
def webhook(certificates: Certificates) -> Iterator[Webhook]:
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            target = urlsplit(self.path)
            call = Call(target.path, target.query, self.headers["Content-Type"], body)
            hook.arrived(call)
            answer = hook.answer(call)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Ignore callers that close the connection early."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    hook.url = f"https://localhost:{server.server_address[1]}/api/notifications?code=key"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
