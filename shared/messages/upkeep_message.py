"""The messages of queue `photo-upkeep`: what one says, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import counts, moments
from shared.errors import BadMessage
from shared.messages.base64_text import from_base64
from shared.messages.sweep_id import is_sweep_id

RENEW, SWEEP, SWEEP_PAGE, REMOVALS, LIFECYCLE = (
    "renew",
    "sweep",
    "sweep-page",
    "removals",
    "lifecycle",
)
UNINSTALL = "uninstall"
KINDS = (RENEW, SWEEP, SWEEP_PAGE, REMOVALS, LIFECYCLE, UNINSTALL)
REAUTHORIZE, REMOVED, MISSED = "reauthorizationRequired", "subscriptionRemoved", "missed"
LIFECYCLE_EVENTS = (REAUTHORIZE, REMOVED, MISSED)

_WHAT_TO_TYPE = "Type renew or sweep."


@dataclass(frozen=True)
class UpkeepMessage:
    """
    One piece of upkeep. `sweep_id` and `page` belong to sweeps, the next two to lifecycle;
    `uninstall_id` and `page` to an uninstall.
    """

    kind: str
    sweep_id: str = ""
    page: int = 0
    event: str = ""
    subscription_id: str = ""
    attempt: int = 1
    first_queued_at: datetime | None = None
    uninstall_id: str = ""

    def again(self, now: datetime) -> UpkeepMessage:
        """The message that takes this one's place after a wait."""
        first = self.first_queued_at or now
        attempt = min(self.attempt + 1, counts.MOST)
        return replace(self, attempt=attempt, first_queued_at=first)

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
            "uninstallId": self.uninstall_id,
        }
        return json.dumps({key: value for key, value in fields.items() if value})


def parse(body: bytes, *, now: datetime) -> UpkeepMessage:
    """Understand JSON, a bare `renew` or `sweep`, or base64 of these. Raises BadMessage."""
    try:
        text = body.decode("utf-8-sig").strip()
        if text not in {RENEW, SWEEP} and not text.startswith("{"):
            text = from_base64(text)
        fields = {"kind": text} if text in {RENEW, SWEEP} else json.loads(text)
        return _message(fields, now)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadMessage(f"This is no message for upkeep. {_WHAT_TO_TYPE}") from error


def _message(fields: dict[str, Any], now: datetime) -> UpkeepMessage:
    first = fields.get("firstQueuedAt")
    message = UpkeepMessage(
        kind=fields["kind"],
        sweep_id=str(fields.get("sweepId") or ""),
        page=counts.read(fields.get("page") or 0),
        event=str(fields.get("lifecycleEvent") or ""),
        subscription_id=str(fields.get("subscriptionId") or ""),
        attempt=counts.read(fields.get("attempt") or 1),
        # A time to come, typed by hand, would put off giving up for as long.
        first_queued_at=min(moments.read(first), now) if first else None,
        uninstall_id=str(fields.get("uninstallId") or ""),
    )
    named = is_sweep_id(message.sweep_id)
    belongs = message.kind in {SWEEP_PAGE, REMOVALS}
    heard = message.event in LIFECYCLE_EVENTS
    if message.kind not in KINDS or heard != (message.kind == LIFECYCLE):
        raise ValueError(message.kind)
    if named != belongs or bool(message.sweep_id) != belongs:
        raise ValueError(message.sweep_id)
    ordered = is_sweep_id(message.uninstall_id)
    if ordered != (message.kind == UNINSTALL) or bool(message.uninstall_id) != ordered:
        raise ValueError(message.uninstall_id)
    return message
