"""The messages of queue `photo-upkeep`: their fields and their JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import counts, moments
from shared.errors import BadMessage
from shared.messages import signed
from shared.messages.base64_text import from_base64
from shared.messages.sweep_id import is_sweep_id
from shared.signature import APP, Signature
from shared.user import is_object_id

RENEW, LIFECYCLE = "renew", "lifecycle"
SWEEP, SWEEP_PAGE, REMOVALS, FILL = "sweep", "sweep-page", "removals", "fill"
AUDIT, AUDIT_PAGE, REPAIRS = "audit", "audit-page", "repairs"
UNINSTALL = "uninstall"
# The users that one POST from Graph named; each becomes a message on `photo-sync`.
BUNDLE = "bundle"
# Valid as a message without JSON; the other kinds continue something that has begun.
BARE = (RENEW, SWEEP, AUDIT)
KINDS = (*BARE, LIFECYCLE, SWEEP_PAGE, REMOVALS, FILL, AUDIT_PAGE, REPAIRS, UNINSTALL, BUNDLE)
REAUTHORIZE, REMOVED, MISSED = "reauthorizationRequired", "subscriptionRemoved", "missed"
LIFECYCLE_EVENTS = (REAUTHORIZE, REMOVED, MISSED)

# A queue message holds 64 KB, 48 KB in base64; this many ids with their punctuation take 40 KB.
USERS_A_BUNDLE = 1000

_WHAT_TO_TYPE = "Type renew, sweep or audit."
_UNKNOWN_KIND = (
    "This version of PhotoSync does not know this kind of message. If a newer version wrote it, "
    f"type it into photo-upkeep again once that version runs. {_WHAT_TO_TYPE}"
)
_WHAT_IS_A_BUNDLE = (
    "A bundle needs userIds, a list of object ids. Type users one by one into photo-sync."
)


@dataclass(frozen=True)
class UpkeepMessage:
    """
    One upkeep task. `sweep_id` belongs to sweeps and their fills, `audit_id` to audits,
    `uninstall_id` to an uninstall, and `page` to each of these; `event` and `subscription_id` to
    lifecycle; `user_ids` and `correlation_id` to a bundle. `by` is who ordered it; `order_id` and
    `ordered_in` are the id and the file of that order in the log of orders.
    """

    kind: str
    sweep_id: str = ""
    audit_id: str = ""
    page: int = 0
    event: str = ""
    subscription_id: str = ""
    attempt: int = 1
    first_queued_at: datetime | None = None
    uninstall_id: str = ""
    by: Signature | None = None
    order_id: str = ""
    ordered_in: str = ""
    user_ids: tuple[str, ...] = ()
    correlation_id: str = ""

    @property
    def is_unsigned_order(self) -> bool:
        """Whether it is an order that is not in the log yet, and so was typed."""
        is_own = self.by is not None and self.by.via == APP
        return self.kind in BARE and not is_own and not self.ordered_in

    def again(self, now: datetime) -> UpkeepMessage:
        """The message that replaces this one after a wait."""
        first = self.first_queued_at or now
        attempt = min(self.attempt + 1, counts.MOST)
        return replace(self, attempt=attempt, first_queued_at=first)

    def to_json(self) -> str:
        """The JSON for the queue."""
        fields = {
            "kind": self.kind,
            "sweepId": self.sweep_id,
            "auditId": self.audit_id,
            "page": self.page,
            "lifecycleEvent": self.event,
            "subscriptionId": self.subscription_id,
            "attempt": self.attempt,
            "firstQueuedAt": self.first_queued_at and self.first_queued_at.isoformat(),
            "uninstallId": self.uninstall_id,
            "orderId": self.order_id,
            "correlationId": self.correlation_id,
            "userIds": self.user_ids,
            **signed.to_fields(self.by, self.ordered_in),
        }
        return json.dumps({key: value for key, value in fields.items() if value})


def parse(body: bytes, *, now: datetime) -> UpkeepMessage:
    """Parse JSON, a bare `renew`, `sweep` or `audit`, or base64 of these. Raises BadMessage."""
    try:
        text = body.decode("utf-8-sig").strip()
        if text not in BARE and not text.startswith("{"):
            text = from_base64(text)
        fields = {"kind": text} if text in BARE else json.loads(text)
        if isinstance(fields["kind"], str) and fields["kind"] not in KINDS:
            raise BadMessage(_UNKNOWN_KIND)
        return _message(fields, now)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise BadMessage(f"This is not an upkeep message. {_WHAT_TO_TYPE}") from error


def _message(fields: Mapping[str, Any], now: datetime) -> UpkeepMessage:
    first = fields.get("firstQueuedAt")
    by, ordered_in = signed.read(fields)
    message = UpkeepMessage(
        kind=fields["kind"],
        sweep_id=str(fields.get("sweepId") or ""),
        audit_id=str(fields.get("auditId") or ""),
        page=counts.read(fields.get("page") or 0),
        event=str(fields.get("lifecycleEvent") or ""),
        subscription_id=str(fields.get("subscriptionId") or ""),
        attempt=counts.read(fields.get("attempt") or 1),
        # A future time, typed by hand, would put off the end of the waiting by as much.
        first_queued_at=min(moments.read(first), now) if first else None,
        uninstall_id=str(fields.get("uninstallId") or ""),
        by=by,
        order_id=signed.read_id(fields.get("orderId") or ""),
        ordered_in=ordered_in,
        user_ids=_user_ids(fields),
        correlation_id=signed.read_id(fields.get("correlationId") or ""),
    )
    _check_id(message.sweep_id, belongs=message.kind in {SWEEP_PAGE, REMOVALS, FILL})
    _check_id(message.audit_id, belongs=message.kind in {AUDIT_PAGE, REPAIRS})
    is_event = message.event in LIFECYCLE_EVENTS
    if message.kind not in KINDS or is_event != (message.kind == LIFECYCLE):
        raise ValueError(message.kind)
    _check_id(message.uninstall_id, belongs=message.kind == UNINSTALL)
    return message


def _user_ids(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The distinct users in a bundle; empty for another kind."""
    ids = fields.get("userIds")
    if fields["kind"] != BUNDLE:
        if ids:
            raise ValueError("userIds")
        return ()
    if not isinstance(ids, list) or not ids or not all(map(_is_object_id, ids)):
        raise BadMessage(_WHAT_IS_A_BUNDLE)
    return tuple(dict.fromkeys(map(str.lower, ids)))


def _is_object_id(value: Any) -> bool:
    return isinstance(value, str) and is_object_id(value)


def _check_id(id_: str, *, belongs: bool) -> None:
    """Raise ValueError unless an id is present exactly if one *belongs*."""
    if bool(id_) != belongs or (belongs and not is_sweep_id(id_)):
        raise ValueError(id_)
