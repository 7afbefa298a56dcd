"""
HTTP triggers: routes, keys, requests as the worker gets them, answers as callers get them.

Documented: Azure/azure-functions-host, GrpcMessageConversionExtensions.ToRpcHttp (what of a
request reaches the worker) and the authorization-level middleware (401 without a body).
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.host.bindings import Function, HttpTrigger, QueueTrigger, TimerTrigger
from local.host.invocations import Invocations
from local.host.keys import Keys
from local.host.protocol import Datum
from local.host.timers import value_by_hand


class TooLarge(ValueError):
    """The body is over the limit of the host."""


class HttpHost:
    """The ASGI application: every HTTP function of the app, and the one admin route."""

    def __init__(
        self,
        functions: Sequence[Function],
        prefix: str,
        keys: Keys,
        invocations: Invocations,
        *,
        body_limit: int,
    ) -> None:
        self._prefix = [part.lower() for part in prefix.split("/") if part]
        self._keys = keys
        self._invocations = invocations
        self._body_limit = body_limit
        self._by_name = {function.name.lower(): function for function in functions}
        routed = [
            (function, function.trigger)
            for function in functions
            if isinstance(function.trigger, HttpTrigger) and not function.disabled
        ]
        self._routed = sorted(routed, key=lambda pair: pair[1].template.precedence)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            response = await self._answer(Request(scope, receive))
        except TooLarge:
            response = Response(status_code=413)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        parts = [part for part in raw_path(request).split("/") if part]
        if [part.lower() for part in parts[:2]] == ["admin", "functions"] and len(parts) == 3:
            return await self._admin(request, parts[2])
        if [part.lower() for part in parts[: len(self._prefix)]] != self._prefix:
            return Response(status_code=404)
        path = "/".join(parts[len(self._prefix) :])
        for function, trigger in self._routed:
            # Documented: a method the function does not list is 404, not 405.
            if trigger.methods and request.method not in trigger.methods:
                continue
            params = trigger.template.match(path)
            if params is not None:
                return await self._run(function, trigger, request, params)
        return Response(status_code=404)

    async def _run(
        self, function: Function, trigger: HttpTrigger, request: Request, params: dict[str, str]
    ) -> Response:
        if not self._keys.open(trigger.level, given_key(request)):
            return Response(status_code=401)
        outcome = await self._invocations.run(
            function,
            await http_value(request, params, self._body_limit),
            reason="This function was programmatically called via the host APIs.",
            traceparent=request.headers.get("traceparent", ""),
        )
        return answer(outcome.returned) if outcome.ok else Response(status_code=500)

    async def _admin(self, request: Request, name: str) -> Response:
        """
        Run a function that is not HTTP now: POST {"input": "<text>"} with the master key, 202.

        Documented: functions-manually-run-non-http; a disabled function can be run so, too.
        """
        if not self._keys.open("admin", given_key(request)):
            return Response(status_code=401)
        function = self._by_name.get(name.lower())
        if request.method != "POST" or function is None:
            return Response(status_code=404)
        try:
            text = str(json.loads(await read_body(request, self._body_limit)).get("input") or "")
        except (ValueError, AttributeError):
            return Response(status_code=400)
        value = _manual_value(function, text)
        if value is None:
            return Response(status_code=404)
        self._invocations.start(function, value, reason="Run by hand via the admin API")
        return Response(status_code=202)


def _manual_value(function: Function, text: str) -> Datum | None:
    trigger = function.trigger
    if isinstance(trigger, TimerTrigger):
        return value_by_hand(trigger, datetime.now(UTC))
    if isinstance(trigger, QueueTrigger):
        return Datum(text, "string")
    return None


def raw_path(request: Request) -> str:
    """Return the path as it came over the wire, still percent-encoded."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("ascii", "replace")


def given_key(request: Request) -> str | None:
    """
    Return the access key of the request: the header goes before the query.

    Documented: ASP.NET compares the names in a query without case.
    """
    by_name = {name.lower(): value for name, value in query_values(request).items()}
    return request.headers.get("x-functions-key") or by_name.get("code")


def query_values(request: Request) -> dict[str, str]:
    """
    Return the query as the worker gets it.

    Documented: ASP.NET decodes + as a space, joins repeated keys with a comma and compares them
    without case; ToRpcHttp leaves out empty values.
    """
    found: dict[str, tuple[str, list[str]]] = {}
    for pair in request.scope["query_string"].decode("latin-1").split("&"):
        key, _, value = pair.partition("=")
        name = unquote_plus(key)
        found.setdefault(name.lower(), (name, []))[1].append(unquote_plus(value))
    joined = {name: ",".join(values) for name, values in found.values()}
    return {name: value for name, value in joined.items() if value}


def header_values(request: Request) -> dict[str, str]:
    """Return the headers as the worker gets them: lower case, repeated ones joined by a comma."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        found.setdefault(name.lower(), []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body, or raise TooLarge as soon as it is known to be over *limit*."""
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limit:
        raise TooLarge
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


async def http_value(request: Request, params: dict[str, str], body_limit: int) -> Datum:
    """Turn a request into the engine's form of it."""
    query = request.scope["query_string"].decode("latin-1")
    host = request.headers.get("host", "")
    url = f"{request.url.scheme}://{host}{raw_path(request)}{'?' + query if query else ''}"
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(url, "string"),
            "headers": _texts(header_values(request)),
            "params": _texts(params),
            "query": _texts(query_values(request)),
            "body": Datum(await read_body(request, body_limit), "bytes"),
        },
        "http",
    )


def _texts(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def answer(returned: Any) -> Response:
    """Turn what the function returned into the answer on the wire."""
    if returned is None or returned.value is None:
        return Response(status_code=204)
    if returned.type != "http":
        # Documented: a plain text return value is 200 with that text.
        return Response(str(returned.value), media_type="text/plain")
    value = returned.value
    response = Response(content=value["body"].value, status_code=int(value["status_code"].value))
    for name, header in value["headers"].items():
        if name.lower() not in ("content-length", "transfer-encoding"):
            response.headers[name] = header.value
    for jar in value.get("cookies") or ():
        for cookie in jar.values():
            response.headers.append("set-cookie", cookie.OutputString())
    return response
