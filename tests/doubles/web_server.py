"""A real web server on this machine; a function writes each answer."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Request = BaseHTTPRequestHandler


class _Server(ThreadingHTTPServer):
    request_queue_size = 64  # a browser opens several connections at once

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may drop its connection."""


@contextmanager
def web_server(
    handle: Callable[[Request], None], tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve on a free port, with HTTPS if *tls* is given. Yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            handle(self)

        def do_POST(self) -> None:
            handle(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http{'s' if tls else ''}://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def reply(request: Request, status: int, body: bytes = b"", **headers: str) -> None:
    """Write a whole answer; `Content_Type="text/plain"` becomes the header Content-Type."""
    request.send_response(status)
    for name, value in {"Content_Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)
