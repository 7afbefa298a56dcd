"""
The part of a request that reaches the worker.

Documented: Azure/azure-functions-host, GrpcMessageConversionExtensions.ToRpcHttp.
"""

import asyncio
import re
import time
from urllib.parse import quote

from starlette.requests import Request

from local.host.kestrel import unescape
from local.host.protocol import Datum

# Documented: Kestrel's MinRequestBodyDataRate: bytes per second, and the grace period in seconds.
MIN_BODY_RATE, GRACE_SECONDS = 240, 5.0


class Unreadable(ValueError):
    """The body is over the limit or stalls; the real host answers 500 to either."""


async def http_value(request: Request, params: dict[str, str], body_limit: int) -> Datum:
    """Convert a request to the engine's form. Raises Unreadable."""
    return Datum(
        {
            "method": Datum(request.method, "string"),
            "url": Datum(url_of(request), "string"),
            "headers": _texts(header_values(request)),
            "params": _texts(params),
            "query": _texts(query_values(request)),
            "body": Datum(await _body_for_worker(request, body_limit), "bytes"),
        },
        "http",
    )


def _texts(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


async def _body_for_worker(request: Request, limit: int) -> bytes:
    """
    The body as the worker gets it.

    Documented: ToRpcHttp passes a body on if `ContentLength > 0`, so a chunked body reaches no
    function (measured; azure-functions-host#4926).
    """
    if "transfer-encoding" in request.headers or _length(request) == 0:
        return b""
    return await read_body(request, limit)


def _length(request: Request) -> int:
    return int(request.headers.get("content-length") or 0)


async def read_body(request: Request, limit: int) -> bytes:
    """Read the whole body. Raises Unreadable as soon as it is known to be over *limit* bytes."""
    if _length(request) > limit:
        raise Unreadable
    body = bytearray()
    started = time.monotonic()
    chunks = aiter(request.stream())
    while True:
        left = started + max(GRACE_SECONDS, len(body) / MIN_BODY_RATE) - time.monotonic()
        try:
            async with asyncio.timeout(left):
                body += await anext(chunks)
        except StopAsyncIteration:
            return bytes(body)
        except TimeoutError as error:
            raise Unreadable from error
        if len(body) > limit:
            raise Unreadable


def url_of(request: Request) -> str:
    """
    The URL as the worker gets it: its path decoded, then escaped only where necessary.

    Documented: PathString.ToUriComponent; the query stays as sent.
    """
    path = re.sub("%(?![0-9A-Fa-f]{2})", "%25", request.scope["path"])
    query = request.scope["query_string"].decode("latin-1")
    place = f"{request.url.scheme}://{request.headers.get('host', '')}"
    return place + quote(path, safe="/-._~!$&'()*+,;=:@%") + (f"?{query}" if query else "")


def given_key(request: Request) -> str:
    """
    The access key of the request, empty if there is none.

    Documented: AuthenticationLevelHandler: the header if present, even if empty, else the first
    `code` of the query; ASP.NET compares the names in a query without regard to case.
    """
    if (header := request.headers.get("x-functions-key")) is not None:
        return header
    named = _query(request).get("code")
    return named[1][0] if named else ""


def query_values(request: Request) -> dict[str, str]:
    """
    The query as the worker gets it: repeated values joined, empty ones omitted.

    Measured: if a name is repeated in another case, its second spelling counts.
    """
    joined = {name: ",".join(values) for name, values in _query(request).values()}
    return {name: value for name, value in joined.items() if value}


def _query(request: Request) -> dict[str, tuple[str, list[str]]]:
    """By the name in lower case: the name and its values. Documented: QueryFeature."""
    found: dict[str, tuple[str, list[str]]] = {}
    for pair in request.scope["query_string"].decode("latin-1").split("&"):
        name, value = (unescape(each.replace("+", " ")) for each in pair.partition("=")[::2])
        first, values = found.get(name.lower(), (name, []))
        found[name.lower()] = (name if len(values) == 1 else first, [*values, value])
    return found


def header_values(request: Request) -> dict[str, str]:
    """The headers as the worker gets them: lower case, repeated ones joined by a comma."""
    found: dict[str, list[str]] = {}
    for name, value in request.headers.raw:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("utf-8"))
    return {name: ",".join(values) for name, values in found.items()}
