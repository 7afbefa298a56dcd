"""The console API on a loopback port: the shapes of the real one, answers that tests set."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.version import HEADER, VERSION
from tests.doubles.console_answers import ANNE, person, state, uninstall
from tests.doubles.web_server import Request, web_server

KEY = "the-function-key"

# Status, and a JSON value, raw bytes, or bytes that come one after the other.
Answer = tuple[int, Any]
Route = Answer | Callable[["Asked"], Answer]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; the path is still percent-encoded."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


def refusal(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def ordered(asked: Asked) -> Answer:
    if asked.body.get("cancel"):
        return 202, {"cancelled": True}
    return 202, {"uninstall": uninstall(**asked.body)}


def ended(*, run: str = "c-1", changed: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """Anne when the replay that `queued` orders has ended, with what *changed* in her state."""
    return person(state=state(**{"replays": [run], **(changed or {})}), **changes)


def queued(asked: Asked) -> Answer:
    """The answer to a replay of Anne's photo."""
    return 202, {"queued": True, "userId": ANNE, "correlationId": "c-1"}


@dataclass
class ConsoleDouble:
    """The answers, by method and path below /api/console/, and the requests."""

    url: str = ""
    routes: dict[tuple[str, str], Route] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=lambda: {HEADER: VERSION})
    # How many bytes of an answer are announced and never sent.
    held_back: int = 0

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        if asked.headers.get("x-functions-key") != KEY:
            return 401, b""
        if asked.method == "POST" and asked.headers.get("content-type") != "application/json":
            return 415, refusal("BadRequest", "Send JSON.")
        if not asked.path.startswith("/api/console/"):
            return 404, b""
        path = asked.path.removeprefix("/api/console/")
        unknown = refusal("NotFound", "Nobody in the tenant is called that: check the name.")
        route: Route = self.routes.get((asked.method, path), (404, unknown))
        return route(asked) if callable(route) else route

    def handle(self, request: Request) -> None:
        parts = urlsplit(request.path)
        raw = request.rfile.read(int(request.headers["Content-Length"] or 0))
        status, content = self.answer(
            Asked(
                method=request.command,
                path=parts.path,
                query={key: values[0] for key, values in parse_qs(parts.query).items()},
                headers={key.lower(): value for key, value in request.headers.items()},
                body=json.loads(raw) if raw else None,
            )
        )
        length, pieces = _pieces(content)
        announced = {**self.headers, "Content-Length": str(length + self.held_back)}
        request.send_response(status)
        for name, value in announced.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.writelines(pieces)
        request.close_connection = bool(self.held_back)

    def answers(self, path: str, *bodies: Any) -> None:
        """Answer GET *path* with *bodies* in turn, and then repeat the last one."""
        left = list(bodies)
        self.routes["GET", path] = lambda _: (200, left.pop(0) if len(left) > 1 else left[0])

    @property
    def orders(self) -> list[Any]:
        """The body of each POST."""
        return [each.body for each in self.asked if each.method == "POST"]

    @property
    def queries(self) -> list[dict[str, str]]:
        """The query of each GET."""
        return [each.query for each in self.asked if each.method == "GET"]

    def paths(self, method: str) -> list[str]:
        return [each.path for each in self.asked if each.method == method]


def _pieces(content: Any) -> tuple[int, Iterable[bytes]]:
    """The Content-Length of a body, and its pieces."""
    if isinstance(content, Iterator):
        return 1_000_000, content
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return len(body), [body]


@contextmanager
def serving(double: ConsoleDouble, tls: ssl.SSLContext | None = None) -> Iterator[ConsoleDouble]:
    """Serve *double* on a free loopback port, over HTTPS where *tls* is given."""
    with web_server(double.handle, tls) as url:
        # A name would be looked up, and Windows tries IPv6 first.
        double.url = url.replace("localhost", "127.0.0.1")
        yield double
