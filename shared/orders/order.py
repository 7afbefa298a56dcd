"""What an order is, and how it and its end stand in the log: a line of JSON each."""

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

# Results that are no run's: refused before anything was done; failed after it was given; begun, of
# what goes on for long; done at once; and halted, for PhotoSync is being taken back.
REFUSED, FAILED, BEGUN, DONE, HALTED = "refused", "failed", "begun", "done", "halted"

_GIVEN, _ENDED = "given", "ended"
_LONGEST = 600


@dataclass(frozen=True)
class Order:
    """
    What was ordered: `kind` is one of KINDS, `id` the correlation id. Of an order about one user
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
    """An order with its end, as far as the log has it: `at` and `ended_at` are when."""

    order: Order
    at: datetime
    result: str = ""
    detail: str = ""
    ended_at: datetime | None = None

    def end_with(self, end: Entry) -> None:
        """Take over what *end* says; it knows the object id of who was ordered by UPN."""
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
    """The orders of one file in the order in which they were given, and how many lines are none."""

    entries: list[Entry] = field(default_factory=list)
    damaged: int = 0


def given(order: Order, at: datetime, *, result: str = "", detail: str = "") -> bytes:
    """The line of an order; with its *result* if it has ended with being refused."""
    return _line(_GIVEN, order, at, result, detail)


def ended(order: Order, at: datetime, *, result: str, detail: str) -> bytes:
    """The line of an order's end."""
    return _line(_ENDED, order, at, result, detail)


def read(content: bytes) -> Read:
    """
    The orders of a file. A line that is torn, or none of ours, is counted and left out.

    A line belongs to the order of its id and signature: a typed message may have the id of somebody
    else's order. An end whose order is not in the file is an order of its own, signed "queue":
    whoever made up a message has made up where its order stands.
    """
    found = Read()
    entries: dict[tuple[str, Signature], Entry] = {}
    # Not splitlines: it splits at characters that may stand in a text, too.
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
            # One that was given, as nobody knew, may have been refused besides.
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
    """Raises ValueError, TypeError, KeyError, AttributeError or OverflowError for what is none."""
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
