"""One call to a service: what is sent, and what comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import requests

from shared.errors import Refused, ServiceDown, Unanswered
from shared.microsoft365.http import Http
from tests.doubles.web import Answer, Clock, Recorded, Tokens, http, in_turn
from tests.doubles.web_server import Request, web_server

Handle = Callable[[Request], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Handle], Http]]:
    """Start a real server on this machine; the argument writes its answers."""
    with ExitStack() as stack:
        yield lambda handle: Http("graph", stack.enter_context(web_server(handle)), Tokens())


def head(request: Request, status: int, **headers: str) -> None:
    """Write the headers of an answer that ends with its connection."""
    request.send_response(status)
    for name, value in {**headers, "Connection": "close"}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()


def test_answer_comes_whole(serve):
    """A reply has its status, case-insensitive headers and the whole body."""

    def handle(request: Request) -> None:
        head(request, 200, Content_Length="200000", ETag="e1")
        request.wfile.write(b"x" * 200_000)

    reply = serve(handle).send("GET", "/v1.0/users?$top=5")

    assert (reply.status, reply.ok, reply.headers["etag"]) == (200, True, "e1")
    assert reply.body == b"x" * 200_000


def test_request_names_us(serve):
    """Each request carries the token, our User-Agent and the caller's own headers."""
    received: list[Request] = []

    def handle(request: Request) -> None:
        received.append(request)
        head(request, 204)

    serve(handle).send("GET", "/v1.0/users?$top=5", headers={"Accept": "application/json"})
    [seen] = received

    assert seen.path == "/v1.0/users?$top=5"
    assert seen.headers["Authorization"] == "Bearer token-1"
    assert seen.headers["User-Agent"] == "NONISV|PhotoSync|PhotoSync/1.0"
    assert seen.headers["Accept"] == "application/json"


@pytest.mark.parametrize("place", ["/elsewhere", "http://[", "http://127.0.0.1:1/"])
def test_redirect_is_not_followed(serve, place):
    """A redirect is an ordinary reply: the token is not sent to another address."""
    paths: list[str] = []

    def handle(request: Request) -> None:
        paths.append(request.path)
        head(request, 302, Location=place, Content_Length="0")

    assert serve(handle).send("GET", "/").status == 302
    assert paths == ["/"]


def test_truncated_answer(serve):
    """A response shorter than its Content-Length is a temporary fault."""

    def handle(request: Request) -> None:
        head(request, 200, Content_Length="100")
        request.wfile.write(b"half")

    with pytest.raises(ServiceDown, match="sent an incomplete response") as caught:
        serve(handle).send("GET", "/")

    assert not isinstance(caught.value, Unanswered)


def test_lost_connection(serve):
    """A connection lost before any response is Unanswered: the request may still take effect."""

    def handle(request: Request) -> None:
        request.connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(Unanswered, match=r"did not answer \(ConnectionError\)"):
        serve(handle).send("GET", "/")


@pytest.mark.parametrize("status", [200, 302])
def test_endless_answer(serve, status):
    """A response body is limited to the largest size that is ever needed."""

    def handle(request: Request) -> None:
        head(request, status, Location="/")
        try:
            while True:
                request.wfile.write(b"x" * 65536)
        except OSError:
            request.close_connection = True

    with pytest.raises(Refused, match="more than 16,777,216 bytes"):
        serve(handle).send("GET", "/")


def test_slow_answer():
    """A response that keeps arriving too slowly is abandoned."""
    clock = Clock()

    class Dripping(Clock):
        def ticks(self) -> float:
            clock.sleep(11)
            return clock.ticks()

    service = http(in_turn(Answer(200, b"x" * 1_000_000)), clock=Dripping())

    with pytest.raises(ServiceDown, match="took over 30 s"):
        service.send("GET", "/")


def test_threads_do_not_share_a_session():
    """Each thread creates its own session and keeps it."""
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
def test_path_to_another_host(path: str):
    """A path may come from a damaged blob: our token must not reach another host."""
    web = Recorded(Answer())

    with pytest.raises(Refused, match="was not sent: its URL is on another host"):
        http(web).send("GET", path)
    assert web.requests == []
