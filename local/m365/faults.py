"""The entrance of every service: latency, faults, and a journal entry for each request."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local.m365.graph.wire import error_body, request_ids
from local.m365.tenant.fault_plan import CONNECTION_KINDS, Fault
from local.m365.tenant.journal_names import client_of, user_of

if TYPE_CHECKING:
    from local.m365.tenant.tenant import Tenant

_PAGE = "<!DOCTYPE html><html><title>{status}</title><body><h1>Error {status}</h1></body></html>"
_SEARCHED = 65_536  # bytes of a request's body that are searched for a user's name


class FaultMiddleware:
    """Wraps *app*, which serves one host; *role* is that host's name in the journal."""

    def __init__(self, app: ASGIApp, tenant: Tenant, *, service: str, role: str = "") -> None:
        self.app = app
        self.tenant = tenant
        self.service = service
        self.role = role or service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # $batch sends its items through this again.
        scope["m365.entrance"] = self
        at, began = self.tenant.now(), time.perf_counter()
        drawn = self.tenant.faults.draw(self.service, scope["method"], scope["path"])

        def record() -> None:
            entry = self._entry(exchange, fault)
            ms = round((time.perf_counter() - began) * 1000, 1)
            self.tenant.journal.append({"at": at.isoformat(), **entry, "ms": ms})

        exchange = _Exchange(self.app, scope, receive, send, record)
        with self.tenant.limits.passing(self.service, scope, self.role) as refusal:
            fault = refusal or drawn.fault
            try:
                if drawn.delay:
                    await asyncio.sleep(drawn.delay)
                if fault is None:
                    await self.app(scope, exchange.receive, exchange.send)
                else:
                    await self._apply(exchange, fault)
            finally:
                exchange.end()

    async def _apply(self, exchange: _Exchange, fault: Fault) -> None:
        if fault.kind not in CONNECTION_KINDS:
            answer = self._answer(exchange, fault)
            await answer(exchange.scope, exchange.receive, exchange.send)
        elif exchange.inner:
            # Assumed: a batch item whose backend fails to answer becomes a 503 or a 504.
            status = "504" if fault.kind == "timeout" else "503-bare"
            answer = self._answer(exchange, Fault(status, draw=fault.draw))
            await answer(exchange.scope, exchange.receive, exchange.send)
        elif fault.kind == "half":
            await exchange.send_half()
        elif fault.kind == "lost-answer":
            await exchange.run_without_answer()
        else:
            if fault.kind == "timeout":
                await exchange.wait_for_disconnect(within=fault.seconds)
            await exchange.hang_up()

    def _answer(self, exchange: _Exchange, fault: Fault) -> Response:
        digits, _, form = fault.kind.partition("-")
        status = int(digits)
        headers: dict[str, str] = {}
        if status in (429, 503) and form != "bare":
            headers["Retry-After"] = f"{fault.retry_after:g}"
        if fault.body:
            media = "application/json" if fault.body.startswith(("{", "[")) else "text/plain"
            return Response(fault.body, status, headers, media)
        if form == "html":
            # Assumed: a proxy's page has none of the service's headers.
            return HTMLResponse(_PAGE.format(status=status), status, headers)
        if self.service == "graph":
            return self._graph_answer(exchange, fault, status, headers)
        if self.service == "login":
            code = "temporarily_unavailable"
            text = "AADSTS90033: A transient error has occurred. Please try again."
            return JSONResponse({"error": code, "error_description": text}, status, headers)
        return _sharepoint_answer(fault, status, headers)

    def _graph_answer(
        self, exchange: _Exchange, fault: Fault, status: int, headers: dict[str, str]
    ) -> JSONResponse:
        """Documented: Retry-After may be fractional, or missing (facts/graph.md section 4)."""
        codes = {429: "TooManyRequests", 503: "serviceNotAvailable", 504: "gatewayTimeout"}
        raw = {key.decode(): value.decode() for key, value in exchange.scope["headers"]}
        ids = request_ids(raw)
        code = fault.code or codes.get(status, "generalException")
        message = fault.message or "Injected by the simulator."
        body = error_body(code, message, self.tenant.now(), ids)
        return JSONResponse(body, status, {**headers, **ids})

    def _entry(self, exchange: _Exchange, fault: Fault | None) -> dict[str, Any]:
        scope = exchange.scope
        query = scope["query_string"].decode("latin-1")
        entry = {
            "service": self.service,
            "host": self.role,
            "method": scope["method"],
            "path": scope["path"],
            "query": query,
            "status": exchange.status,
            "received": exchange.received,
            "sent": exchange.sent,
            "batch": exchange.inner,
            "clientId": client_of(scope["headers"], bytes(exchange.searched)),
            "userId": user_of(self.tenant.roster, scope["path"], query, bytes(exchange.searched)),
        }
        return entry if fault is None else {**entry, "fault": fault.reason or fault.kind}


def _sharepoint_answer(fault: Fault, status: int, headers: dict[str, str]) -> Response:
    """
    A failure in one of the forms that were seen: JSON, XML, plain text, empty.

    Reported: facts/sharepoint.md section 3, last row. Documented: RateLimit-Reset, which is at
    least as long as Retry-After (section 5); the limits are those of 1,000 licences.
    """
    if status == 429 and "Retry-After" in headers:
        # SharePoint uses whole seconds.
        wait = math.ceil(fault.retry_after)
        limits = {"RateLimit-Limit": "1250", "RateLimit-Remaining": "0"}
        headers = {"Retry-After": str(wait), **limits, "RateLimit-Reset": str(wait)}
    default = "The request has been throttled." if status == 429 else "Something went wrong."
    message, code = fault.message or default, fault.code or "-1, System.Exception"
    form = 0 if fault.code else fault.draw % 4
    if form == 0:
        error = {"code": code, "message": {"lang": "en-US", "value": message}}
        return JSONResponse({"odata.error": error}, status, headers)
    if form == 1:
        xml = f'<?xml version="1.0" encoding="utf-8"?><error><message>{message}</message></error>'
        return Response(xml, status, headers, "application/xml")
    if form == 2:
        return Response(f"{status} {message}", status, headers, "text/plain")
    return Response(b"", status, headers)


class _Exchange:
    """One request being processed: records what passed, and can be cut off."""

    def __init__(
        self,
        app: ASGIApp,
        scope: Scope,
        receive: Receive,
        send: Send,
        record: Callable[[], None],
    ) -> None:
        self.app = app
        self.scope = scope
        self.status = 0  # 0 means no answer
        self.searched = bytearray()
        self.received = self.sent = 0  # bytes of the bodies
        self.inner = bool(scope.get("m365.batch"))
        self._receive = receive
        self._send = send
        self._record: Callable[[], None] | None = record

    async def receive(self) -> Message:
        message = await self._receive()
        body = message.get("body", b"")
        self.received += len(body)
        if len(self.searched) < _SEARCHED:
            self.searched += body[:_SEARCHED]
        return message

    async def send(self, message: Message) -> None:
        self.sent += len(message.get("body", b""))
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif not message.get("more_body", False):
            # Before the last byte is sent: a client that has an answer finds it in the journal.
            self.end()
        await self._send(message)

    def end(self) -> None:
        """Record the request, once."""
        if self._record is not None:
            record, self._record = self._record, None
            record()

    async def send_half(self) -> None:
        """Process the request, announce the complete answer, and send only half of it."""
        start, body = await self._run_buffered()
        headers = [(key, value) for key, value in start["headers"] if key != b"content-length"]
        length = str(max(len(body), 2)).encode()
        await self.send({**start, "headers": [*headers, (b"content-length", length)]})
        half: Message = {
            "type": "http.response.body",
            "body": body[: len(body) // 2],
            "more_body": True,
        }
        await self._send(half)
        await self.hang_up(abruptly=False)

    async def run_without_answer(self) -> None:
        """Process the request, then close the connection instead of answering."""
        await self._run_buffered()
        await self.hang_up()

    async def _run_buffered(self) -> tuple[Message, bytes]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(self.scope, self.receive, keep)
        return messages[0], b"".join(message.get("body", b"") for message in messages[1:])

    async def wait_for_disconnect(self, *, within: float) -> None:
        """Wait until the caller has disconnected, at most *within* seconds."""
        try:
            await asyncio.wait_for(self._disconnected(), within)
        except TimeoutError:
            return

    async def _disconnected(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def hang_up(self, *, abruptly: bool = True) -> None:
        self.end()
        # ASGI has no message for this; uvicorn's bound `send` method leads to its transport.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is None:
            raise ConnectionResetError("the simulator runs on a server that it cannot cut off")
        if abruptly:
            transport.abort()
        else:
            transport.close()
        await self._disconnected()
