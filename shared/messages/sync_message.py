"""The messages of queue `photo-sync`: their fields, and every form a person may type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared import moments
from shared.errors import BadMessage
from shared.messages import signed
from shared.messages.base64_text import from_base64
from shared.messages.sweep_id import is_sweep_id
from shared.messages.upkeep_message import BARE
from shared.signature import APP, Signature
from shared.user import is_object_id, is_upn

NOTIFICATION = "notification"
# Those that a person may type.
REASONS = (NOTIFICATION, "sweep", "replay", "audit")
# Those that also check SharePoint instead of trusting the state.
THOROUGH = {"replay", "audit"}
# Only from a sweep, after the second check and the brake; it carries the sweep's id.
REMOVAL = "removal"
# Only from an uninstall, for the same reason: it removes the picture and forgets the user.
UNINSTALL = "uninstall"

MOST_ATTEMPTS = 1_000_000

_WHAT_TO_TYPE = (
    "Type a user principal name such as anne@contoso.com, an object id, "
    'or JSON such as {"userId": "anne@contoso.com", "force": true}.'
)
# Texts that belong in the other queue; see `upkeep_message`.
_FOR_UPKEEP = set(BARE)


@dataclass(frozen=True)
class SyncMessage:
    """
    Bring one user's picture up to date. `user_id` is an object id or a UPN.

    `sweep_id` names the sweep that ordered a removal, `uninstall_id` the uninstall. With
    `replace_chosen` the photo replaces a picture that a person chose, once. `by` is who ordered it,
    `ordered_in` the file of the log of orders that holds the order.
    """

    user_id: str
    reason: str
    force: bool
    attempt: int
    first_queued_at: datetime
    correlation_id: str
    sweep_id: str = ""
    uninstall_id: str = ""
    replace_chosen: bool = False
    by: Signature | None = None
    ordered_in: str = ""

    @property
    def is_unsigned_order(self) -> bool:
        """
        Whether it is an order that is not in the log yet: a typed one, whatever it claims in `by`.

        Messages with other reasons come from the app: notifications, sweeps and audits.
        """
        is_own = self.by is not None and self.by.via == APP
        return self.reason == "replay" and not is_own and not self.ordered_in

    def again(self, *, force: bool = False) -> SyncMessage:
        """
        The message that replaces this one after a wait.

        With *force*, it and all its successors copy whatever the state says.
        """
        attempt = min(self.attempt + 1, MOST_ATTEMPTS)
        return replace(self, attempt=attempt, force=self.force or force)

    def to_json(self) -> str:
        """The JSON for the queue: readable, because admins read it there."""
        fields = {
            "userId": self.user_id,
            "reason": self.reason,
            "force": self.force,
            "attempt": self.attempt,
            "firstQueuedAt": self.first_queued_at.isoformat(),
            "correlationId": self.correlation_id,
        }
        optional = {
            "replace": self.replace_chosen,
            "sweepId": self.sweep_id,
            "uninstallId": self.uninstall_id,
        }
        given = {name: value for name, value in optional.items() if value}
        return json.dumps(fields | given | signed.to_fields(self.by, self.ordered_in))


def parse(body: bytes, *, now: datetime, correlation_id: str) -> SyncMessage:
    """
    Parse JSON, a bare UPN, a bare object id, or base64 of any of these.

    *now* and *correlation_id* are used if the message has none. Raises BadMessage.
    """
    text = _text(body)
    fields = _fields(text)
    if fields is None:
        fields = _fields(from_base64(text))
    if fields is None and {text.casefold(), from_base64(text).casefold()} & _FOR_UPKEEP:
        raise BadMessage("This belongs in the other queue: type it into photo-upkeep.")
    if fields is None:
        raise BadMessage(f"This is neither JSON nor a user. {_WHAT_TO_TYPE}")
    sweep_id, uninstall_id = _sweep_id(fields), _uninstall_id(fields)
    by, ordered_in = _signature(fields)
    return SyncMessage(
        user_id=_user_id(fields),
        reason=(sweep_id and REMOVAL) or (uninstall_id and UNINSTALL) or _reason(fields),
        force=_flag(fields, "force"),
        attempt=_attempt(fields),
        first_queued_at=_first_queued_at(fields, now),
        correlation_id=_correlation_id(fields, correlation_id),
        sweep_id=sweep_id,
        uninstall_id=uninstall_id,
        replace_chosen=_replace(fields, sweep_id or uninstall_id),
        by=by,
        ordered_in=ordered_in,
    )


def _signature(fields: Mapping[str, Any]) -> tuple[Signature | None, str]:
    try:
        return signed.read(fields)
    except ValueError as error:
        raise BadMessage("by and orderedIn are reserved for PhotoSync: leave them out.") from error


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise BadMessage(f"The message is not text in UTF-8. {_WHAT_TO_TYPE}") from error


def _fields(text: str) -> Mapping[str, Any] | None:
    """The fields of a message, None if *text* is in no plain form of one."""
    if is_object_id(text) or is_upn(text):
        return {"userId": text, "reason": "replay"}
    if text[:1] not in {"{", '"'}:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"The message is not valid JSON. {_WHAT_TO_TYPE}") from error
    if isinstance(value, str):
        return {"userId": value, "reason": "replay"}
    return dict(value)


def _user_id(fields: Mapping[str, Any]) -> str:
    value = fields.get("userId")
    text = value.strip() if isinstance(value, str) else ""
    if is_object_id(text):
        return text.lower()
    if is_upn(text):
        return text
    raise BadMessage(f"userId is missing or is neither an object id nor a UPN. {_WHAT_TO_TYPE}")


def _sweep_id(fields: Mapping[str, Any]) -> str:
    """The sweep that orders a removal; empty for anything else."""
    if fields.get("reason") != REMOVAL:
        return ""
    value = fields.get("sweepId")
    if not isinstance(value, str) or not is_sweep_id(value):
        raise BadMessage(
            "Only a sweep can order a removal, with its sweepId. Type just the user: sweeps find "
            "deleted photos, and `sweep --release-removals` releases what the brake holds back."
        )
    return value


def _uninstall_id(fields: Mapping[str, Any]) -> str:
    """The uninstall that removes this user's picture; empty for anything else."""
    if fields.get("reason") != UNINSTALL:
        return ""
    value = fields.get("uninstallId")
    if not isinstance(value, str) or not is_sweep_id(value):
        raise BadMessage(
            "Only an uninstall can remove pictures for good, with its uninstallId: run "
            "manage.py uninstall --remove-pictures."
        )
    return value


def _reason(fields: Mapping[str, Any]) -> str:
    value = fields.get("reason", "replay")
    if value not in REASONS:
        raise BadMessage(f"reason must be one of {', '.join(REASONS)}; leave it out to replay.")
    return str(value)


def _replace(fields: Mapping[str, Any], sweep_id: str) -> bool:
    value = _flag(fields, "replace")
    if value and sweep_id:
        raise BadMessage("A removal cannot replace a picture: leave replace out.")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise BadMessage(f"{name} must be true or false, without quotation marks.")
    return value


def _attempt(fields: Mapping[str, Any]) -> int:
    value = fields.get("attempt", 1)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_ATTEMPTS:
        raise BadMessage(f"attempt must be a whole number from 1 to {MOST_ATTEMPTS}, or left out.")
    return value


def _first_queued_at(fields: Mapping[str, Any], now: datetime) -> datetime:
    value = fields.get("firstQueuedAt")
    if value is None:
        return now
    try:
        moment = moments.read(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadMessage(
            "firstQueuedAt must be a time such as 2026-01-31T08:00:00+00:00, or left out."
        ) from error
    # A future time, typed by hand, would put off the end of the waiting by as much.
    return min(moment, now)


def _correlation_id(fields: Mapping[str, Any], default: str) -> str:
    value = fields.get("correlationId", default)
    # It goes into log lines, where it must not look like another line or field.
    if not isinstance(value, str) or not signed.is_id(value):
        raise BadMessage("correlationId must be 1 to 64 letters, digits, dots or dashes.")
    return value
