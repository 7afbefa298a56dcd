"""Answers on the wire, from a function's return value or from the host itself."""

from dataclasses import dataclass
from typing import Any

from starlette.types import Send

# Documented: Kestrel refuses to write a body for these; the host then answers 500 (measured for
# 204).
_WITHOUT_BODY = (204, 205, 304)


@dataclass(frozen=True)
class Answer:
    """One answer; a body without a Content-Length is sent in chunks, as from Kestrel."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    async def send(self, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in self.headers]
        if not self.body and self.status not in _WITHOUT_BODY:
            headers.append((b"Content-Length", b"0"))
        start = {"type": "http.response.start", "status": self.status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": self.body})


def answer_of(returned: Any) -> Answer:
    """The answer for a function's return value."""
    if returned is None or returned.value is None:
        return Answer(204)
    if returned.type != "http":
        # Documented: a plain text return value is 200 with that text.
        type_ = ("Content-Type", "text/plain; charset=utf-8")
        return Answer(200, str(returned.value).encode(), (type_,))
    value = returned.value
    status, content = int(value["status_code"].value), value["body"].value or b""
    body = content.encode() if isinstance(content, str) else bytes(content)
    if body and status in _WITHOUT_BODY:
        return Answer(500)
    headers = [(name, header.value) for name, header in value["headers"].items()]
    for jar in value.get("cookies") or ():
        headers += [("Set-Cookie", cookie.OutputString()) for cookie in jar.values()]
    return Answer(status, body, tuple(_framed(headers, len(body))))


def _framed(headers: list[tuple[str, str]], length: int) -> list[tuple[str, str]]:
    """Remove headers that describe another body; a correct length stays."""
    return [
        (name, value)
        for name, value in headers
        if name.lower() != "transfer-encoding"
        and (name.lower() != "content-length" or (length and value == str(length)))
    ]
