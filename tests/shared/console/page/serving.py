"""The console's page, and a stand-in for its API, on a port of this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from shared.console.page import page
from tests.doubles.web_server import Request, reply, web_server
from tests.shared.console.page.stand_in import KEY, Answered, StandIn


@contextmanager
def serving(stand_in: StandIn) -> Iterator[StandIn]:
    """Serve the page and *stand_in* on a free port of this machine."""
    with web_server(lambda request: _answer(request, stand_in)) as url:
        stand_in.url = f"{url}/api/console"
        yield stand_in


def _answer(request: Request, stand_in: StandIn) -> None:
    body = request.rfile.read(int(request.headers["Content-Length"] or 0))
    if request.command == "GET" and urlsplit(request.path).path == "/api/console":
        text, headers = page.page(sign_in=stand_in.role is not None)
        return reply(
            request, 200, text.encode(), **headers, Content_Type="text/html; charset=utf-8"
        )
    # What the host or App Service answers before the app is called.
    if stand_in.role is None and request.headers.get("x-functions-key") != KEY:
        return reply(request, 401, Content_Type="text/plain")
    if stand_in.role == "":
        return reply(request, 302, Location="/.auth/login/aad", Content_Type="text/plain")
    if stand_in.role is not None and request.command == "POST":
        # Without this header another page's form could have sent it; the app refuses it then.
        assert request.headers["X-PhotoSync-Order"]
    try:
        found = stand_in.answer(request.command, request.path, body)
    except Answered as end:
        error = {"error": {"code": end.code, "message": str(end)}}
        return reply(
            request, end.status, json.dumps(error).encode(), Content_Type="application/json"
        )
    if isinstance(found, bytes):
        return reply(request, 200, found, Content_Type="image/jpeg")
    return reply(request, 200, json.dumps(found).encode(), Content_Type="application/json")
