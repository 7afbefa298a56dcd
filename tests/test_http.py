"""One call to a service: patience, tokens, limits, and errors in our own words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from shared import calls
from shared.errors import (
    AccessDenied,
    ClaimLost,
    Conflict,
    Refused,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.http import (
    CONNECT_SECONDS,
    LATE_WRITE,
    LONGEST_WAIT_IN_PLACE,
    READ_SECONDS,
    REQUEST_LIMIT,
    TRIES,
    Http,
    Reply,
    fault,
)
from shared.sync import CLAIM_LENGTH
from tests.web import NOON, Answer, Clock, Tokens, Web, answer, http, in_turn

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


# What is sent and what comes back, over a real connection


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

    with pytest.raises(ServiceDown, match="stopped in the middle") as caught:
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
        def __call__(self) -> datetime:
            clock.sleep(11)
            return clock.now

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


# Tokens


class Protected:
    """A service that takes only the tokens in *valid*."""

    def __init__(self, *valid: str, otherwise: int = 200) -> None:
        self.tokens: list[str] = []
        self._valid = valid
        self._otherwise = otherwise

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        token = str(request.headers["Authorization"]).removeprefix("Bearer ")
        self.tokens.append(token)
        return Answer(self._otherwise if token in self._valid else 401)


def test_401_gets_a_fresh_token():
    """A token that is refused is replaced once, and the request sent again."""
    assert http(Protected("token-2")).send("GET", "/").status == 200


def test_fresh_token_is_refused_for_good():
    """A 401 with a fresh token is the answer: it is not tried for ever."""
    service = Protected()

    assert http(service).send("GET", "/").status == 401
    assert service.tokens == ["token-1", "token-2"]


def test_fresh_token_after_every_patience():
    """Also a 401 that follows throttling gets its fresh token."""
    busy = answer({}, 429, retry_after="1")
    service = http(in_turn(busy, busy, Answer(401), Answer(200)))

    assert service.send("GET", "/").status == 200


# Patience


def slow(*asked: str, status: int = 429) -> Web:
    return in_turn(*(answer({}, status, retry_after=wait) for wait in asked), answer({}))


@pytest.mark.parametrize("status", [429, 503])
def test_short_wait_happens_in_place(status):
    """A service that asks for a moment gets it, and then its answer counts."""
    clock = Clock()

    assert http(slow("2.5", "3", status=status), clock=clock).send("GET", "/").status == 200
    assert clock.now == NOON + timedelta(seconds=5.5)


def test_wait_until_a_date():
    """A wait that is asked for as a date is reckoned from now."""
    clock = Clock()
    date = format_datetime(NOON + timedelta(seconds=4), usegmt=True)

    assert http(slow(date), clock=clock).send("GET", "/").status == 200
    assert clock.now == NOON + timedelta(seconds=4)


@pytest.mark.parametrize(
    "asked",
    [("10.1",), ("6", "6"), ("1",) * TRIES],
    ids=["one long wait", "two that add up", "too many tries"],
)
def test_long_wait_is_left_to_the_message(asked):
    """Beyond ten seconds in all, or three tries, the answer is the throttling."""
    clock = Clock()
    reply = http(slow(*asked), clock=clock).send("GET", "/")

    assert (reply.status, reply.retry_after) == (429, float(asked[-1]))
    assert clock.now - NOON <= timedelta(seconds=LONGEST_WAIT_IN_PLACE)


@pytest.mark.parametrize(
    "said",
    [answer({}, 500, retry_after="1"), answer({}, 404, retry_after="1")],
    ids=["500", "404"],
)
def test_nothing_else_is_tried_again(said):
    """Only a 429 or 503 is tried again in place."""
    assert http(in_turn(said, Answer(200))).send("GET", "/").status == said.status


# The claim


def test_no_write_begins_too_late():
    """After `not_after` no request is sent."""
    service = Protected("token-1")
    late = NOON - timedelta(microseconds=1)

    with pytest.raises(ClaimLost, match="Too little time"):
        http(service).send("POST", "/", not_after=late)

    assert service.tokens == []
    assert http(service).send("POST", "/", not_after=NOON).status == 200


def test_no_second_try_begins_too_late():
    """A wait in place that outlasts `not_after` ends the request, too."""
    with pytest.raises(ClaimLost):
        http(slow("5")).send("POST", "/", not_after=NOON + timedelta(seconds=4))


def test_no_fresh_token_outlasts_the_claim():
    """Time spent on getting a token counts."""
    clock = Clock()

    class Slow(Tokens):
        def bearer(self, audience: str, *, refused: str = "") -> str:
            clock.sleep(30)
            return "token-1"

    service = Http("sharepoint", "https://localhost:1", Slow(), clock=clock)

    with pytest.raises(ClaimLost):
        service.send("POST", "/", not_after=NOON + timedelta(seconds=29))


def test_claim_outlasts_a_late_write():
    """A run that dies over its last write has a claim until that write is past."""
    on_our_side = timedelta(seconds=4 * CONNECT_SECONDS + READ_SECONDS)

    assert on_our_side + LATE_WRITE <= REQUEST_LIMIT


def test_claim_leaves_time_to_write():
    """Most of a claim can be used: three minutes for a handful of small requests."""
    assert CLAIM_LENGTH - REQUEST_LIMIT >= timedelta(minutes=3)


# What an answer means


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"cut": ', b"\xff", b"[" * 200_000])
def test_broken_body(body):
    """A body that is no JSON where JSON is due is a passing fault."""
    with pytest.raises(ServiceDown, match="graph answered 200 with a broken body"):
        Reply("graph", 200, {}, body).json()


FAULTS = {
    400: Refused,
    401: AccessDenied,
    403: AccessDenied,
    404: Refused,
    408: ServiceDown,
    409: Conflict,
    412: Conflict,
    423: Conflict,
    429: Throttled,
    302: Refused,
    500: ServiceDown,
    502: Unanswered,
    503: Throttled,
    504: Unanswered,
}


@pytest.mark.parametrize(("status", "kind"), FAULTS.items(), ids=map(str, FAULTS))
def test_fault_of_a_status(status, kind):
    """Each status that a caller cannot use becomes the error that decides about the message."""
    error = fault(Reply("graph", status, {}, b"", retry_after=7.0))

    assert type(error) is kind
    assert str(error) == f"graph answered {status}."
    assert getattr(error, "retry_after", 7.0) == (None if kind is Conflict else 7.0)


def test_fault_says_what_the_service_said():
    """The sentence has the service's own words, on one line and not for ever."""
    reply = Reply("graph", 403, {}, b"")

    assert str(fault(reply, "Denied", "No\n consent.")) == "graph answered 403: Denied No consent."
    assert len(str(fault(reply, "x" * 1000))) < 350


def test_calls_are_noted():
    """Each try is counted under the name of its service, whether it is answered or not."""
    with calls.noted() as made:
        http(slow("1")).send("GET", "/")
        with pytest.raises(Unanswered):
            http(in_turn(requests.ConnectTimeout())).send("GET", "/")

    assert made == ["sharepoint"] * 3
