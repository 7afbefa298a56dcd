"""
Lines of the overview that a person has dismissed, in the document `dismissed.json`.

What a line refers to stays: the state of a failed user, and a message that was set aside until
storage's own lifecycle deletes it. A failure comes back when its reason changes, or after a copy in
between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared import moments
from shared.console.roster import Roster
from shared.errors import BadRequest
from shared.storage.documents import Document, Documents
from shared.storage.roster_entry import Entry

NAME = "dismissed.json"
# This many broken photos are no longer single lines.
MOST = 1000
MOST_AT_ONCE = 20
# Storage's clock may be ahead of ours by this much.
_AHEAD = timedelta(minutes=5)


@dataclass(frozen=True)
class Dismissed:
    """
    `failures` are user ids, each with the reason and the last copy of the dismissed failure;
    messages set aside are dismissed up to `unreadable_to`, by storage's clock.
    """

    failures: Mapping[str, str] = field(default_factory=dict)
    unreadable_to: datetime | None = None

    def hides(self, entry: Entry) -> bool:
        """Whether it is exactly the failure that was dismissed."""
        return self.failures.get(entry.user_id) == _failure(entry)


class Dismissals:
    """Reads and extends the document. Errors: ServiceDown; a write also raises Conflict."""

    def __init__(self, documents: Documents, roster: Roster) -> None:
        self._documents = documents
        self._roster = roster

    def read(self) -> Dismissed:
        """What is dismissed; a document damaged by hand hides nothing."""
        return _parse(self._documents.read(NAME))

    def add(self, failures: Sequence[Entry], unreadable_to: datetime | None) -> None:
        """Dismiss these too. Raises BadRequest if there are too many."""
        before = self._documents.read(NAME)
        known = _parse(before)
        added = {each.user_id: _failure(each) for each in failures}
        kept = {**known.failures, **added}
        if len(kept) > MOST:
            kept = {**self._hidden(known.failures), **added}
        if len(kept) > MOST:
            raise BadRequest(f"{MOST:,} failures are already dismissed. Fix their common cause.")
        until = max(filter(None, (known.unreadable_to, unreadable_to)), default=None)
        fields = {"failures": kept, "unreadableTo": until.isoformat() if until else ""}
        self._documents.write(NAME, fields, after=before)

    def _hidden(self, failures: Mapping[str, str]) -> dict[str, str]:
        """Those of *failures* that still exist; this lists everyone."""
        dismissed, left = Dismissed(failures), dict[str, str]()

        def keep(entry: Entry) -> bool:
            if dismissed.hides(entry):
                left[entry.user_id] = failures[entry.user_id]
            return False

        self._roster.census(0, keep)
        return left


def read(order: Mapping[str, Any], now: datetime) -> tuple[list[str], datetime | None]:
    """The users that an *order* names, and up to when messages are dismissed. Raises BadRequest."""
    if order.keys() - {"users", "unreadableTo"} or not order:
        raise BadRequest("The order must contain users, unreadableTo or both, and nothing else.")
    users, text = order.get("users", []), order.get("unreadableTo", "")
    if not isinstance(users, list) or not all(isinstance(each, str) for each in users):
        raise BadRequest("users must be a list of object ids or user principal names.")
    if len(users) > MOST_AT_ONCE:
        raise BadRequest(f"Dismiss at most {MOST_AT_ONCE} users at once.")
    if not text:
        return users, None
    try:
        until = moments.read(text)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRequest("unreadableTo must be a time in the format of the overview.") from error
    if until > now + _AHEAD:
        raise BadRequest(
            "unreadableTo is in the future. Only messages that are already set aside can be "
            "dismissed."
        )
    return users, until


def _failure(entry: Entry) -> str:
    # Not the time of the failure: each sweep tries again, and fails the same way.
    return f"{entry.reason} {entry.synced_at}"


def _parse(document: Document | None) -> Dismissed:
    fields: Mapping[str, Any] = document.fields if document else {}
    failures = fields.get("failures")
    known = failures if isinstance(failures, dict) else {}
    try:
        until = moments.read(fields.get("unreadableTo") or "")
    except (ValueError, TypeError, OverflowError):
        until = None
    return Dismissed({str(key): str(text) for key, text in known.items()}, until)
