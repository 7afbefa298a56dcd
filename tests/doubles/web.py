"""The network as a function, which gets each request and returns an answer or raises."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from shared.microsoft365.http import Http
from shared.session import OneHostSession

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
AUDIENCE = "https://service.contoso.com"


@dataclass(frozen=True)
class Answer:
    """A service's answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def answer(fields: Any, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; `retry_after="3"` becomes the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(fields).encode(), named)


def no_answer() -> Answer:
    """Lose the connection."""
    raise requests.ConnectionError


Web = Callable[[requests.PreparedRequest], Answer]


class FunctionAdapter(HTTPAdapter):
    """Replaces the network of a session."""

    def __init__(self, web: Web) -> None:
        super().__init__()
        self._web = web

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._web(request)
        raw = urllib3.HTTPResponse(
            io.BytesIO(answer.body),
            headers=answer.headers,
            status=answer.status,
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, raw)


class Clock:
    """A clock that moves only by `sleep` and `advance`."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = self._began = now

    def __call__(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return (self.now - self._began).total_seconds()

    def advance(self, by: timedelta) -> None:
        self.now += by

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))


class Tokens:
    """Returns token-1, and the next token after a refused one."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        number = int(refused.removeprefix("token-")) if refused else 0
        return f"token-{number + 1}"


def http(
    web: Web,
    *,
    audience: str = AUDIENCE,
    clock: Clock | None = None,
    tokens: Any = None,
    **options: Any,
) -> Http:
    """An Http with *options* whose whole network is *web*; waiting moves *clock*."""
    clock = clock or Clock()

    def session() -> requests.Session:
        session = OneHostSession()
        session.mount("https://", FunctionAdapter(web))
        return session

    times: dict[str, Any] = {"clock": clock, "ticks": clock.ticks, "sleep": clock.sleep}
    tokens = tokens or Tokens()
    return Http("sharepoint", audience, tokens, session=session, **times, **options)


def in_turn(*answers: Answer | Exception) -> Web:
    """A service that gives *answers* in turn, and then repeats the last one."""
    left = list(answers)

    def web(request: requests.PreparedRequest) -> Answer:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    return web


class Recorded:
    """Records each request; answers all with *answer*, or as *answer* decides."""

    def __init__(self, answer: Answer | Web) -> None:
        self.requests: list[requests.PreparedRequest] = []
        self._answer = answer

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.requests.append(request)
        return self._answer if isinstance(self._answer, Answer) else self._answer(request)

    @property
    def request(self) -> requests.PreparedRequest:
        """The only request."""
        [request] = self.requests
        return request

    @property
    def paths(self) -> list[str]:
        return [request.path_url for request in self.requests]

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(each.body) if each.body else None for each in self.requests]

    @property
    def calls(self) -> list[tuple[str | None, str, Any]]:
        """Method, path and body of each request."""
        methods = [request.method for request in self.requests]
        return list(zip(methods, self.paths, self.bodies, strict=True))

    @property
    def batched(self) -> list[dict[str, Any]]:
        """The requests in the last batch."""
        parts: list[dict[str, Any]] = self.bodies[-1]["requests"]
        return parts
