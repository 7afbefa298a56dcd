"""An order, and its lines of JSON in the log: one for the order and one for its end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from shared import moments
from shared.messages import signed
from shared.signature import QUEUE, Signature

REPLAY, REPAIR, SWEEP, RENEW, AUDIT = "replay", "repair", "sweep", "renew", "audit"
RELEASE_REMOVALS, RELEASE_REPAIRS = "release-removals", "release-repairs"
UNINSTALL, CANCEL_UNINSTALL, DISMISS = "uninstall", "cancel-uninstall", "dismiss"
KINDS = frozenset(
    {REPLAY, REPAIR, SWEEP, RENEW, AUDIT, RELEASE_REMOVALS, RELEASE_REPAIRS}
    | {UNINSTALL, CANCEL_UNINSTALL, DISMISS}
)

# Results that no worker's run reports: refused before anything was done; failed after it was given;
# begun, for work whose own record says how it ended; done at once; halted, because PhotoSync is
# being uninstalled.
REFUSED, FAILED, BEGUN, DONE, HALTED = "refused", "failed", "begun", "done", "halted"

_GIVEN, _ENDED = "given", "ended"
_LONGEST = 600


@dataclass(frozen=True)
class Order:
    """
    What was ordered: `kind` is one of KINDS, `id` the correlation id. For an order about one user,
    `user_id` and `user_principal_name` are what is known; `options` are its words, such as force.
    """

    kind: str
    by: Signature
    id: str
    user_id: str = ""
    user_principal_name: str = ""
    options: str = ""


@dataclass
class Entry:
    """An order and its end, as far as the log has them, with their times `at` and `ended_at`."""

    order: Order
    at: datetime
    result: str = ""
    detail: str = ""
    ended_at: datetime | None = None

    def end_with(self, end: Entry) -> None:
        """Adopt what *end* says, and its object id if the order named the user by UPN."""
        self.result, self.detail, self.ended_at = end.result, end.detail, end.ended_at
        if not self.order.user_id:
            self.order = replace(self.order, user_id=end.order.user_id)

    def is_about(self, user_id: str, upn: str) -> bool:
        """Whether it is about the user of this object id, or of this UPN if no id is known."""
        mine = self.order.user_id
        if mine and user_id:
            return mine == user_id
        return upn != "" and self.order.user_principal_name.casefold() == upn.casefold()


@dataclass
class Read:
    """The orders of one file, oldest first, and the number of damaged lines."""

    entries: list[Entry] = field(default_factory=list)
    damaged: int = 0


def given(order: Order, at: datetime, *, result: str = "", detail: str = "") -> bytes:
    """The line of an order, with its *result* if it was refused."""
    return _line(_GIVEN, order, at, result, detail)


def ended(order: Order, at: datetime, *, result: str, detail: str) -> bytes:
    """The line of an order's end."""
    return _line(_ENDED, order, at, result, detail)


def read(content: bytes) -> Read:
    """
    The orders of a file. A line that is torn, or not ours, is counted and left out.

    A line belongs to the order with its id and signature: a typed message may have the id of
    somebody else's order. An end whose order is not in the file becomes an order of its own, signed
    "queue": a forged message also names a file that does not hold its order.
    """
    found = Read()
    entries: dict[tuple[str, Signature], Entry] = {}
    # Not splitlines: it also splits at characters that may occur in a text.
    for text in content.split(b"\n"):
        if not text.strip():
            continue
        try:
            event, entry = _parse(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            found.damaged += 1
            continue
        key = entry.order.id, entry.order.by
        if known := entries.get(key):
            # Storage may have stored the line without answering us, and the order was refused.
            if event == _ENDED or entry.result:
                known.end_with(entry)
            continue
        if event == _ENDED:
            entry.order = replace(entry.order, by=Signature(QUEUE))
        entries[key] = entry
        found.entries.append(entry)
    return found


def _line(event: str, order: Order, at: datetime, result: str, detail: str) -> bytes:
    fields = {
        "event": event,
        "at": at.isoformat(timespec="milliseconds"),
        "order": order.kind,
        "id": order.id,
        "by": signed.by_fields(order.by),
        "userId": order.user_id,
        "userPrincipalName": order.user_principal_name,
        "options": order.options,
        "result": result,
        "detail": detail[:_LONGEST],
    }
    return f"{json.dumps({key: value for key, value in fields.items() if value})}\n".encode()


def _parse(fields: dict[str, Any]) -> tuple[str, Entry]:
    """Raises ValueError, TypeError, KeyError, AttributeError or OverflowError if it is invalid."""
    event, at = fields["event"], moments.read(fields["at"])
    order = Order(
        kind=fields["order"],
        by=signed.read_by(fields["by"]),
        id=fields["id"],
        user_id=_text(fields, "userId"),
        user_principal_name=_text(fields, "userPrincipalName"),
        options=_text(fields, "options"),
    )
    if event not in {_GIVEN, _ENDED} or order.kind not in KINDS or not signed.is_id(order.id):
        raise ValueError(event)
    result, detail = _text(fields, "result"), _text(fields, "detail")
    ended_at = at if result or event == _ENDED else None
    return event, Entry(order, at, result, detail, ended_at)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise ValueError(name)
    return value
