"""
The real host's web server: which requests it accepts, and how it sends answers.

Documented: dotnet/aspnetcore, `src/Servers/Kestrel/Core` (Http1Connection, KestrelServerLimits,
PathNormalizer, HttpResponseHeaders). Measured in the real host: the status of each refusal.
"""

import re
from collections.abc import Iterator
from email.utils import formatdate

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_LINE = 8 * 1024
MAX_HEADERS, MAX_HEADER_BYTES = 100, 32 * 1024
_ESCAPED = re.compile("(?:%[0-9A-Fa-f]{2})+")
_ESCAPED_IN_PATH = re.compile("(?:%(?!2[Ff])[0-9A-Fa-f]{2})+")
# Kestrel writes these names in its own spelling, all others as given.
_NAMES = {
    name.lower().encode(): name.encode()
    for name in (
        "Accept-Ranges Age Allow Cache-Control Connection Content-Encoding Content-Language "
        "Content-Length Content-Location Content-Range Content-Type Date ETag Expires "
        "Last-Modified Location Pragma Retry-After Server Set-Cookie Transfer-Encoding Vary "
        "WWW-Authenticate"
    ).split()
}


class Kestrel:
    """Wraps *app*, which gets the path decoded and without dot segments."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        send = _with_own_headers(send)
        if status := _refusal(scope):
            headers = [(b"Content-Length", b"0"), (b"Connection", b"close")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body"})
            return
        await self._app(
            {**scope, "path": path_of(scope["raw_path"].decode("ascii"))}, receive, send
        )


def own_headers() -> list[tuple[bytes, bytes]]:
    """The headers of every answer."""
    return [(b"Date", formatdate(usegmt=True).encode()), (b"Server", b"Kestrel")]


def _with_own_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            named = [(_NAMES.get(name.lower(), name), value) for name, value in message["headers"]]
            message = {**message, "headers": [*named, *own_headers()]}
        await send(message)

    return send_with_headers


def _refusal(scope: Scope) -> int | None:
    """The status with which Kestrel itself refuses a request; None if it passes the request on."""
    target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    if len(f"{scope['method']}  HTTP/1.1\r\n") + len(target) > MAX_LINE:
        return 414
    sizes = [len(name) + len(value) + len(": \r\n") for name, value in scope["headers"]]
    if len(sizes) > MAX_HEADERS or sum(sizes) > MAX_HEADER_BYTES:
        return 431
    in_origin_form = target.startswith(b"/") or target == b"*"
    if not in_origin_form or b"#" in target or b"%00" in scope["raw_path"]:
        return 400
    return None if all(_is_utf8(value) for _, value in scope["headers"]) else 400


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def path_of(raw: str) -> str:
    """The path of a request: decoded except for slashes, then without `.` and `..`."""
    decoded = _ESCAPED_IN_PATH.sub(_decoded, raw)
    kept: list[str] = []
    parts = decoded.split("/")[1:]
    for part in parts:
        if part == "..":
            del kept[-1:]
        elif part != ".":
            kept.append(part)
    if parts[-1:] in (["."], [".."]):
        kept.append("")
    return "/" + "/".join(kept) if decoded.startswith("/") else decoded


def unescape(text: str) -> str:
    """Decode %XX; invalid UTF-8 stays as written (`Uri.UnescapeDataString`)."""
    return _ESCAPED.sub(_decoded, text)


def _decoded(match: re.Match[str]) -> str:
    return "".join(_pieces(match[0]))


def _pieces(escaped: str) -> Iterator[str]:
    while escaped:
        raw = bytes.fromhex(escaped.replace("%", ""))
        try:
            yield raw.decode("utf-8")
            return
        except UnicodeDecodeError as bad:
            yield raw[: bad.start].decode("utf-8") + escaped[3 * bad.start : 3 * bad.end]
            escaped = escaped[3 * bad.end :]
