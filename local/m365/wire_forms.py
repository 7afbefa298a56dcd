"""
How bodies are sent: with a Content-Length, chunked, or compressed.

Chunked answers were seen (facts/graph.md section 4); gzip for clients that accept it is assumed
in the same section.
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.m365.tenant.tenant import Tenant


class WireForms:
    """Wraps *app*; a switch of the tenant chooses the form."""

    def __init__(self, app: ASGIApp, tenant: Tenant) -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, minimum_size=1)
        self._tenant = tenant

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def unsized(message: Message) -> None:
            if message["type"] == "http.response.start":
                # Without a length, the server sends chunks.
                kept = [each for each in message["headers"] if each[0] != b"content-length"]
                message = {**message, "headers": kept}
            await send(message)

        match self._tenant.switches.answers:
            case "gzip":
                await self._gzip(scope, receive, send)
            case "chunked":
                await self._app(scope, receive, unsized)
            case _:
                await self._app(scope, receive, send)
