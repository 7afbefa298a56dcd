"""One call to a service: what is sent and what comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from shared.errors import Refused, ServiceDown, Unanswered
from shared.microsoft365.http import Http
from tests.doubles.web import Answer, Clock, Tokens, http, in_turn

Handler = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A real server on this machine; *handle* writes the answer by hand."""

    def __init__(self, handle: Handler) -> None:
        self.seen: list[BaseHTTPRequestHandler] = []
        seen = self.seen

        class Requests(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(self)
                handle(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.http = Http("graph", f"http://127.0.0.1:{self._server.server_port}", Tokens())

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Server]]:
    servers: list[Server] = []

    def start(handle: Handler) -> Server:
        servers.append(Server(handle))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def head(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Connection", "close")
    request.end_headers()


def test_answer_comes_whole(serve):
    """An answer has its status, its headers in any case, and its body to the end."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        head(request, 200, Content_Length="200000", ETag="e1")
        request.wfile.write(b"x" * 200_000)

    reply = serve(handle).http.send("GET", "/v1.0/users?$top=5")

    assert (reply.status, reply.ok, reply.headers["etag"]) == (200, True, "e1")
    assert reply.body == b"x" * 200_000


def test_request_names_us(serve):
    """Each request carries the token, our name for throttling, and the caller's own headers."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        head(request, 204)

    server = serve(handle)
    server.http.send("GET", "/v1.0/users?$top=5", headers={"Accept": "application/json"})
    seen = server.seen[0]

    assert seen.path == "/v1.0/users?$top=5"
    assert seen.headers["Authorization"] == "Bearer token-1"
    assert seen.headers["User-Agent"] == "NONISV|PhotoSync|PhotoSync/1.0"
    assert seen.headers["Accept"] == "application/json"


@pytest.mark.parametrize("place", ["/elsewhere", "http://[", "http://127.0.0.1:1/"])
def test_redirect_is_not_followed(serve, place):
    """A redirect is an answer like any other: no token goes to another address."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        head(request, 302, Location=place, Content_Length="0")

    server = serve(handle)

    assert server.http.send("GET", "/").status == 302
    assert len(server.seen) == 1


def test_cut_answer(serve):
    """An answer that ends before its length is a passing fault."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        head(request, 200, Content_Length="100")
        request.wfile.write(b"half")

    with pytest.raises(ServiceDown, match="sent an incomplete response") as caught:
        serve(handle).http.send("GET", "/")

    assert not isinstance(caught.value, Unanswered)


def test_lost_connection(serve):
    """A request whose connection is lost before any answer may be carried out yet."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        request.connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(Unanswered, match=r"did not answer \(ConnectionError\)"):
        serve(handle).http.send("GET", "/")


def test_nobody_there():
    """A refused connection is Unanswered, too: nobody can tell it from a lost one for sure."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(Unanswered):
            Http("graph", address, Tokens()).send("GET", "/")


@pytest.mark.parametrize("status", [200, 302])
def test_answer_without_end(serve, status):
    """Nobody is sent more than the largest body that is needed."""

    def handle(request: BaseHTTPRequestHandler) -> None:
        head(request, status, Location="/")
        try:
            while True:
                request.wfile.write(b"x" * 65536)
        except OSError:
            request.close_connection = True

    with pytest.raises(Refused, match="more than 16,777,216 bytes"):
        serve(handle).http.send("GET", "/")


def test_answer_that_drips():
    """An answer that keeps coming, but too slowly, is given up."""
    clock = Clock()

    class Dripping(Clock):
        def ticks(self) -> float:
            clock.sleep(11)
            return clock.ticks()

    service = http(in_turn(Answer(200, b"x" * 1_000_000)), clock=Dripping())

    with pytest.raises(ServiceDown, match="took over 30 s"):
        service.send("GET", "/")


def test_threads_do_not_share_a_session():
    """Each thread has a session of its own and keeps it."""
    made: list[int] = []

    def session() -> requests.Session:
        made.append(threading.get_ident())
        raise requests.ConnectionError

    def call() -> None:
        with pytest.raises(requests.ConnectionError):
            service.send("GET", "/")

    service = Http("graph", "https://graph.contoso.com", Tokens(), session=session)
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()

    assert len(made) == 2


@pytest.mark.parametrize(
    "path",
    [
        "@evil.example/x",
        ".evil.example/x",
        ":8080/x",
        "evil.example/x",
        "",
        "?next=/x",
        "//evil.example/x",
        "/\\evil.example/x",
        "https://evil.example/x",
        "[x",
        "@[::1/x",
        "\n/x",
    ],
)
def test_path_that_leads_elsewhere_is_not_asked(path: str):
    """A path may come from a damaged blob: our token is for one host and goes to no other."""
    asked: list[requests.PreparedRequest] = []

    def web(request: requests.PreparedRequest) -> Answer:
        asked.append(request)
        return Answer()

    with pytest.raises(Refused, match="was not sent: its URL is on another host"):
        http(web).send("GET", path)

    assert asked == []
