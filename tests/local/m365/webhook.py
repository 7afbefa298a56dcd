"""A webhook for tests: HTTPS with the simulator's certificate, and answers that a test sets."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.cloud.certificates import Certificates
from tests.doubles.web import Answer
from tests.doubles.web_server import Request, reply, web_server

DEADLINE = 120.0


@dataclass(frozen=True)
class Call:
    """One POST that arrived."""

    raw_query: str
    content_type: str
    body: bytes

    @property
    def token(self) -> str | None:
        return parse_qs(self.raw_query).get("validationToken", [None])[0]

    @property
    def items(self) -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = json.loads(self.body)["value"]
        return value


def echo(call: Call) -> Answer:
    """The answer of a correct webhook."""
    return Answer(202) if call.token is None else Answer(200, call.token.encode())


@dataclass
class Webhook:
    """Every call so far; `answer` decides about the next ones."""

    url: str = ""
    answer: Callable[[Call], Answer] = echo
    calls: list[Call] = field(default_factory=list)
    _arrival: threading.Condition = field(default_factory=threading.Condition)

    def handle(self, request: Request) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        call = Call(urlsplit(request.path).query, request.headers["Content-Type"], body)
        with self._arrival:
            self.calls.append(call)
            self._arrival.notify_all()
        answer = self.answer(call)
        reply(request, answer.status, answer.body, Content_Type="text/plain")

    @property
    def items(self) -> list[dict[str, Any]]:
        """The items of all notifications so far."""
        return [item for call in self.calls if call.token is None for item in call.items]

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Return once *condition* holds; it is checked after every call."""
        with self._arrival:
            assert self._arrival.wait_for(condition, DEADLINE), "the condition did not hold in time"


@contextmanager
def webhook(certificates: Certificates) -> Iterator[Webhook]:
    hook, context = Webhook(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with web_server(hook.handle, context) as base:
        hook.url = f"{base}/api/notifications?code=key"
        yield hook
