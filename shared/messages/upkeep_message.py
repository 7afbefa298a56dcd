"""The messages of queue `photo-upkeep`: what one says, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import moments
from shared.errors import BadMessage
from shared.messages.base64_text import from_base64

RENEW, SWEEP, SWEEP_PAGE, REMOVALS, LIFECYCLE = (
    "renew",
    "sweep",
    "sweep-page",
    "removals",
    "lifecycle",
)
KINDS = (RENEW, SWEEP, SWEEP_PAGE, REMOVALS, LIFECYCLE)
LIFECYCLE_EVENTS = ("reauthorizationRequired", "subscriptionRemoved", "missed")

_WHAT_TO_TYPE = "Type renew or sweep."


@dataclass(frozen=True)
class UpkeepMessage:
    """One piece of upkeep. `sweep_id` and `page` belong to sweeps, the next two to lifecycle."""

    kind: str
    sweep_id: str = ""
    page: int = 0
    event: str = ""
    subscription_id: str = ""
    attempt: int = 1
    first_queued_at: datetime | None = None

    def again(self, now: datetime) -> UpkeepMessage:
        """The message that takes this one's place after a wait."""
        first = self.first_queued_at or now
        return replace(self, attempt=self.attempt + 1, first_queued_at=first)

    def to_json(self) -> str:
        """As it stands in the queue."""
        fields = {
            "kind": self.kind,
            "sweepId": self.sweep_id,
            "page": self.page,
            "lifecycleEvent": self.event,
            "subscriptionId": self.subscription_id,
            "attempt": self.attempt,
            "firstQueuedAt": self.first_queued_at and self.first_queued_at.isoformat(),
        }
        return json.dumps({key: value for key, value in fields.items() if value})


def parse(body: bytes) -> UpkeepMessage:
    """Understand JSON, a bare `renew` or `sweep`, or base64 of these. Raises BadMessage."""
    try:
        text = body.decode("utf-8-sig").strip()
        if text not in {RENEW, SWEEP} and not text.startswith("{"):
            text = from_base64(text)
        fields = {"kind": text} if text in {RENEW, SWEEP} else json.loads(text)
        return _message(fields)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadMessage(f"This is no message for upkeep. {_WHAT_TO_TYPE}") from error


def _message(fields: dict[str, Any]) -> UpkeepMessage:
    first = fields.get("firstQueuedAt")
    message = UpkeepMessage(
        kind=fields["kind"],
        sweep_id=str(fields.get("sweepId") or ""),
        page=int(fields.get("page") or 0),
        event=str(fields.get("lifecycleEvent") or ""),
        subscription_id=str(fields.get("subscriptionId") or ""),
        attempt=max(1, int(fields.get("attempt") or 1)),
        first_queued_at=moments.read(first) if first else None,
    )
    # The id names a blob: nothing in it may lead elsewhere.
    named = message.sweep_id.replace("-", "").isalnum()
    paged = message.kind in {SWEEP_PAGE, REMOVALS}
    heard = message.event in LIFECYCLE_EVENTS
    if message.kind not in KINDS or named != paged or heard != (message.kind == LIFECYCLE):
        raise ValueError(message.kind)
    return message
