"""A response from a Microsoft 365 service, and its translation into our errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.errors import (
    AccessDenied,
    Conflict,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    TryLater,
    Unanswered,
)

T = TypeVar("T")


_LATER: dict[int, type[TryLater]] = {
    **dict.fromkeys((429, 503), Throttled),
    # From a gateway: the service behind it may have received the request and still carry it out.
    **dict.fromkeys((502, 504), Unanswered),
    408: ServiceDown,
}


@dataclass(frozen=True)
class Reply:
    """A response, read to the end."""

    service: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    retry_after: float | None = None  # seconds the service asked us to wait

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON. Raises ServiceDown if invalid: truncation is a temporary fault."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ServiceDown(
                f"{self.service} answered {self.status} with invalid JSON.", service=self.service
            ) from error

    def read(self, parse: Callable[[Any], T]) -> T:
        """The result of *parse* on the JSON. Raises Refused if the JSON has another shape."""
        fields = self.json()
        try:
            return parse(fields)
        except (LookupError, TypeError, AttributeError, ValueError, OverflowError) as error:
            raise Refused(f"{self.service} answered {self.status} with unexpected JSON.") from error


def fault(reply: Reply, code: str = "", message: str = "") -> PhotoSyncError:
    """The error for a response that the caller cannot use; *code* and *message* are the body's."""
    said = " ".join(f"{code} {message}".split())[:300]
    sentence = f"{reply.service} answered {reply.status}" + (f": {said}" if said else ".")
    if reply.status in {401, 403}:
        return AccessDenied(sentence)
    if reply.status in {409, 412, 423}:
        return Conflict(sentence, service=reply.service)
    later = _LATER.get(reply.status, ServiceDown if reply.status >= 500 else None)
    if later is None:
        return Refused(sentence)
    return later(sentence, retry_after=reply.retry_after, service=reply.service)
