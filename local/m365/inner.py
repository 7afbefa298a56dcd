"""A request inside a batch, sent through its service's entrance like a separate request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.requests import Request
from starlette.types import Message, Scope


@dataclass
class Answer:
    """The answer to an inner request."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


async def answer_to(
    outer: Request, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    """
    The answer to *method* on *url* (path and query), with the credentials of the batch.

    *headers* has lower-case names.
    """
    path, _, query = url.partition("?")
    kept = {
        key: outer.headers[key]
        for key in ("authorization", "host", "user-agent")
        if key in outer.headers
    }
    sent = {**headers, **kept, "content-length": str(len(body))}
    scope: Scope = {
        **{key: outer.scope[key] for key in ("type", "asgi", "http_version", "scheme")},
        "server": outer.scope.get("server"),
        "client": outer.scope.get("client"),
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in sent.items()],
        "m365.batch": True,
    }
    # The middleware stores itself in the scope; without it, the app itself is the entrance.
    entrance = outer.scope.get("m365.entrance", outer.app)
    answer = Answer()
    await entrance(scope, _receiver(body), _sender(answer))
    return answer


def _receiver(body: bytes) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _sender(answer: Answer) -> Callable[[Message], Awaitable[None]]:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            pairs = ((key.decode(), value.decode()) for key, value in message["headers"])
            answer.headers = {"-".join(p.capitalize() for p in k.split("-")): v for k, v in pairs}
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    return send
