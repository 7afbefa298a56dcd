"""Messages that could not be understood or were given up, kept for a person to see."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, Protocol

FOLDER = "unreadable/"


class Keeper(Protocol):
    """Where such messages are stored. Errors: ServiceDown, AccessDenied."""

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        """Store a message under *name* with the reason, for a person to see."""
        ...


class SetAside(NamedTuple):
    """How many messages were set aside, and the newest: name, time, body and reason."""

    total: int
    newest: list[dict[str, str]]


def set_aside(
    keeper: Keeper, body: bytes, reason: str, *, now: datetime, new_id: Callable[[], str]
) -> None:
    """Store *body* with the *reason* under a name that sorts by time. Raises as *keeper* does."""
    # An id of our own: the sender chooses the correlation id, and may reuse it.
    keeper.keep_unreadable(f"{now:%Y-%m-%dT%H-%M-%S}-{new_id()}", body, reason)


def to_json(body: bytes, reason: str) -> bytes:
    """The blob: *body*, as text if it is text, and the reason."""
    try:
        kept = {"reason": reason, "body": body.decode()}
    except UnicodeDecodeError:
        kept = {"reason": reason, "bodyBase64": base64.b64encode(body).decode()}
    return json.dumps(kept, indent=2).encode()


def from_json(name: str, content: bytes, *, why_not: str = "") -> dict[str, str]:
    """
    Read the blob *name*, even if somebody edited it: the others must still be shown.

    *why_not* says why its content cannot be read at all.
    """
    try:
        fields = dict(json.loads(content))
    except (ValueError, TypeError, RecursionError):
        fields = {"reason": why_not or "PhotoSync did not write this blob."}
    body = fields.get("body")
    if "bodyBase64" in fields:
        body = f"(not text, in base64) {fields['bodyBase64']}"
    return {
        "name": name.removeprefix(FOLDER),
        "reason": str(fields.get("reason") or ""),
        "body": str(body or ""),
    }
