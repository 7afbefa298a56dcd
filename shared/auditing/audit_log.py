"""
The record of an audit, in blob `audits/<id>.json`, and of the newest one, `audits/latest.json`.

A page message that does not match the page in the blob is late or a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared import moments
from shared.errors import EndlessList
from shared.messages.sweep_id import is_sweep_id
from shared.storage import records
from shared.storage.documents import Document, Documents
from shared.sweeping import sweep_rules
from shared.telemetry.log_text import loggable

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
# The repairs: queued as they are found; held back by the brake; released by a person.
FREE, BRAKED, RELEASED = "free", "braked", "released"
_STATUSES, _REPAIRS = {RUNNING, FINISHED, FAILED}, {FREE, BRAKED, RELEASED}

# The users who came after the count may fill this many pages.
_FEW_PAGES = 100
LATEST = "audits/latest.json"
# The largest AUDIT_DAYS.
MOST_DAYS = 30

log = logging.getLogger("photosync")


@dataclass(frozen=True)
class AuditLog:
    """
    One audit. `page` is the next page to process, from 1, and `next` is storage's token for it.

    `everybody` says that a person ordered it, so that it does not rest between its pages; otherwise
    it is spread over `AUDIT_DAYS`, and `resting` until its next page is due. `repair` says whether
    what it finds is repaired. Of the users `looked` at, `differ` are damaged, and `unclear` show
    something that a check of SharePoint alone cannot settle; `unanswered` counts users for whom the
    check got no answer. `tries` counts failed attempts at the page. `waiting_until` is when the
    profile budget has room again. `held_from` is the first page whose repairs the brake holds back,
    0 again once these are queued; `held` is how many users that affects.
    """

    id: str
    started_at: str
    updated_at: str
    everybody: bool = False
    repair: bool = False
    status: str = RUNNING
    detail: str = ""
    page: int = 1
    next: str = ""
    expected_pages: int = 0
    looked: int = 0
    differ: int = 0
    unclear: int = 0
    unanswered: int = 0
    resting: bool = False
    waiting_until: str = ""
    stalls: int = 0
    tries: int = 0
    repairs: str = FREE
    held_from: int = 0
    held: int = 0
    previous: str = ""
    finished_at: str = ""

    @property
    def is_running(self) -> bool:
        return self.status == RUNNING

    @property
    def is_untouched(self) -> bool:
        """Whether not even its first page was tried."""
        return self.page == 1 and not (self.tries or self.waiting_until)

    def due_at(self, days: float) -> datetime:
        """When its next page is due, so that all pages are spread evenly over *days*."""
        began = moments.read(self.started_at)
        return began + timedelta(days=days) * ((self.page - 1) / max(self.expected_pages, 1))

    def must_end_with(self, following: str) -> None:
        """Raise EndlessList if a page is *following* after twice as many as were counted."""
        if following and self.page > 2 * self.expected_pages + _FEW_PAGES:
            raise EndlessList("The list of users in storage does not end, so the audit stopped.")

    def braked(self, page: int) -> AuditLog:
        """The audit after *page*; holds repairs back if more differ than people could damage."""
        is_systematic = sweep_rules.looks_like_an_outage(self.differ, self.looked)
        if not self.repair or self.repairs != FREE or not is_systematic:
            return self
        detail = (
            f"{self.differ} of {self.looked} checked pictures differ in SharePoint. That looks "
            "like an import, a migration or another sync. No more are repaired until a person "
            "releases the repairs."
        )
        return replace(self, repairs=BRAKED, held_from=page, detail=detail)

    def progress(self) -> float:
        """Fraction done, 0 to 1."""
        if self.status == FINISHED:
            return 1.0
        return min(0.99, (self.page - 1) / max(self.expected_pages, 1))


_BLANK = AuditLog("", "", "")


def to_fields(audit: AuditLog) -> dict[str, Any]:
    """The blob's fields; `progress` is for human readers only."""
    return records.to_fields(audit) | {"progress": audit.progress()}


class AuditLogs:
    """Reads and writes audits. Every write is conditional (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def latest(self) -> tuple[AuditLog | None, Document | None]:
        """The newest audit, and the pointer to it as it was read."""
        pointer = self._documents.read(LATEST)
        if pointer is None:
            return None, None
        found = self.read(pointer.fields.get("id"))
        return (found[0] if found else None), pointer

    def read(self, audit_id: Any) -> tuple[AuditLog, Document] | None:
        """One audit and the document it was read from; None if it is missing or damaged."""
        if not isinstance(audit_id, str) or not is_sweep_id(audit_id):
            return None
        document = self._documents.read(_name(audit_id))
        if document is None:
            return None
        try:
            return _read(audit_id, document.fields), document
        except (TypeError, ValueError, OverflowError) as error:
            log.warning('audit.set_aside id=%s why="%s"', audit_id, loggable(str(error)))
            return None

    def held_back(self) -> tuple[AuditLog, Document] | None:
        """
        The audit whose repairs the brake holds back, until they are queued: the newest, or the one
        before while the newest has not yet decided, or does not repair.
        """
        newest, _ = self.latest()
        if newest is None:
            return None
        decides = newest.held_from or (newest.repair and newest.status == FINISHED)
        found = self.read(newest.id if decides else newest.previous)
        return found if found and found[0].held_from else None

    def begin(self, audit: AuditLog, pointer: Document | None) -> None:
        """Write a new audit and make it the newest; Conflict if another run did so first."""
        self.write(audit, after=None)
        self._documents.write(LATEST, {"id": audit.id}, after=pointer)

    def write(self, audit: AuditLog, *, after: Document | None) -> Document:
        """Replace the version read as *after* with *audit*."""
        return self._documents.write(_name(audit.id), to_fields(audit), after=after)

    def hold(self, audit_id: str, page: int, user_ids: list[str]) -> None:
        """Store the users of a page whose repairs the brake holds back."""
        records.keep_ids(self._documents, _held_name(audit_id, page), user_ids)

    def held(self, audit_id: str, page: int) -> list[str]:
        """The users that `hold` stored for a page."""
        return records.kept_ids(self._documents, _held_name(audit_id, page))


def _read(audit_id: str, written: Mapping[str, Any]) -> AuditLog:
    """
    The audit that *written* describes.

    Raises TypeError, ValueError and OverflowError if it is not a valid audit, e.g. edited by hand.
    """
    found = records.from_fields(_BLANK, written)
    if found.id != audit_id or found.status not in _STATUSES or found.repairs not in _REPAIRS:
        raise ValueError("Its id, status or repairs value is invalid.")
    if found.page < 1:
        raise ValueError("Its page number is invalid.")
    for moment in (found.started_at, found.updated_at, found.waiting_until or found.updated_at):
        moments.read(moment)
    found.due_at(MOST_DAYS)
    return found


def _name(audit_id: str) -> str:
    return f"audits/{audit_id}.json"


def _held_name(audit_id: str, page: int) -> str:
    return f"audits/{audit_id}/held-{page}.json"
