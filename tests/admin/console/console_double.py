"""The console API on a loopback port: the shapes of the real one, answers that tests set."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.version import HEADER, VERSION

KEY = "the-function-key"
ANNE = "11111111-1111-1111-1111-111111111111"
NOON = "2026-05-04T12:00:00+00:00"

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


def entry(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "userId": f"{number:08}-1111-1111-1111-111111111111",
        "userPrincipalName": f"person{number}@contoso.com",
        "displayName": f"Person {number}",
        "status": "failed",
        "reason": "photo-refused",
        "detail": "The photo cannot be read.",
        "checkedAt": NOON,
        "syncedAt": "",
        **changes,
    }


def sweep(**changes: Any) -> dict[str, Any]:
    return {
        "id": "20260504T120000-1",
        "startedAt": NOON,
        "updatedAt": NOON,
        "status": "finished",
        "detail": "",
        "users": 12,
        "inScope": 10,
        "changed": {"new": 2},
        "managed": 9,
        "gone": 0,
        "removals": "none",
        "expectedUsers": 12,
        "eta": "",
        **changes,
    }


def uninstall(**changes: Any) -> dict[str, Any]:
    return {
        "id": "20260504T120000-u",
        "removePictures": False,
        "startedAt": NOON,
        "finishedAt": "",
        "status": "running",
        "detail": "",
        "subscription": "",
        "expected": 10,
        "left": 10,
        "problems": [],
        **changes,
    }


def overview(**changes: Any) -> dict[str, Any]:
    queues = ("photo-sync", "photo-sync-poison", "photo-upkeep", "photo-upkeep-poison")
    return {
        "asOf": NOON,
        "counts": {"synced": 9, "no-photo": 1},
        "countedAt": NOON,
        "pictures": 8,
        "uninstall": None,
        "queues": dict.fromkeys(queues, 0),
        "subscription": {
            "status": "live",
            "detail": "",
            "expiresAt": "2026-05-30T12:00:00+00:00",
            "checkedAt": NOON,
        },
        "sweep": sweep(),
        "fill": None,
        "brake": {"engaged": False, "gone": 0, "left": 0, "managed": 0, "detail": ""},
        "repairBrake": {"engaged": False, "differ": 0, "detail": ""},
        "failures": [],
        "unreadable": [],
        "groups": {},
        "dryRun": False,
        **changes,
    }


def person(**changes: Any) -> dict[str, Any]:
    return {
        "user": {
            "id": ANNE,
            "userPrincipalName": "anne@contoso.com",
            "displayName": "Anne Other",
            "accountEnabled": True,
            "guest": False,
        },
        "state": {
            "userId": ANNE,
            "userPrincipalName": "anne@contoso.com",
            "status": "synced",
            "reason": "",
            "detail": "",
            "checkedAt": NOON,
            "syncedAt": NOON,
            "claim": None,
            "lastError": None,
            "replays": [],
        },
        "asOf": NOON,
        "profile": {
            "PictureURL": "https://contoso-my.sharepoint.com/a_MThumb.jpg",
            "SPS-PicturePlaceholderState": "0",
            "SPS-PictureExchangeSyncState": "1",
            "SPS-PictureTimestamp": "63913492800",
        },
        "agree": True,
        "difference": "Both sides show the same photo.",
        "history": [{"at": NOON, "event": "synced", "detail": "Copied."}],
        **changes,
    }


def ordered(asked: Asked) -> Answer:
    if asked.body.get("cancel"):
        return 202, {"cancelled": True}
    return 202, {"uninstall": uninstall(**asked.body)}


def ended(*, run: str = "c-1", state: Mapping[str, Any] | None = None, **changes: Any) -> Any:
    """Anne when the replay that `queued` orders has ended."""
    return person(state={**person()["state"], "replays": [run], **(state or {})}, **changes)


def queued(asked: Asked) -> Answer:
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

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(size)
            status, content = double.answer(
                Asked(
                    method=self.command,
                    path=parts.path,
                    query={key: values[0] for key, values in parse_qs(parts.query).items()},
                    headers={key.lower(): value for key, value in self.headers.items()},
                    body=json.loads(raw) if raw else None,
                )
            )
            length, pieces = _pieces(content)
            self.send_response(status)
            for name, value in double.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(length + double.held_back))
            self.end_headers()
            self.wfile.writelines(pieces)
            self.close_connection = bool(double.held_back)

        do_POST = do_GET  # noqa: N815 - the server looks for this name

        def log_message(self, format: str, *args: Any) -> None: ...

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not trust us, or is stopped, hangs up: that is the test."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    double.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
