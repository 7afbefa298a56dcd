"""Waking the webhook up before Graph asks it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.microsoft365.warm_up import warm_up


class Endpoint(BaseHTTPRequestHandler):
    """Answers a handshake with the status that its address ends in."""

    def do_POST(self) -> None:
        path, _, token = self.path.partition("?validationToken=")
        self.send_response(int(path[1:]))
        self.end_headers()
        self.wfile.write(token.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def endpoint():
    """The address of a web server that is up."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Endpoint) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("path", "lines"),
    [("/200", []), ("/404", ["subscription.unreachable status=404"])],
    ids=["awake", "not there"],
)
def test_endpoint_is_woken_up(endpoint, caplog, path, lines):
    """An endpoint that answers wrongly leaves a line in the log, for Graph will refuse it too."""
    warm_up(endpoint + path)

    assert caplog.messages == lines


def test_endpoint_that_nobody_reaches(caplog):
    """An endpoint that cannot be reached is no reason to stop: Graph says what it finds."""
    warm_up("http://127.0.0.1:1/api/notifications?code=a-key")

    assert caplog.messages == ["subscription.unreachable kind=ConnectionError"]
