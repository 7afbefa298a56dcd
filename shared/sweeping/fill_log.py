"""
The newest fill, in document `sweeps/fill.json`, and the lists of users who wait for it.

A fill belongs to one sweep, which stores the waiting users of each of its pages.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared import moments
from shared.storage import records
from shared.storage.documents import Document, Documents
from shared.telemetry.log_text import loggable

RUNNING, FINISHED = "running", "finished"
_NAME = "sweeps/fill.json"

log = logging.getLogger("photosync")


@dataclass(frozen=True)
class FillLog:
    """
    One fill. `step` is the next step, from 1; it starts at `page` and `offset` of the lists.

    `sent` users have been queued, of `found` that the sweep has listed so far; `is_whole` says that
    the sweep will list no more. The last step used `percent` of the tenant's pace and found
    `waiting` messages in the queue.
    """

    sweep_id: str
    started_at: str
    updated_at: str
    status: str = RUNNING
    step: int = 1
    page: int = 1
    offset: int = 0
    sent: int = 0
    percent: int = 100
    waiting: int = 0
    found: int = 0
    is_whole: bool = False
    finished_at: str = ""

    def eta(self) -> str:
        """
        When the last user will be copied if the average pace so far holds; empty if unknown.

        It is unknown while the sweep still finds users, and before any user has been queued.
        """
        if self.status != RUNNING or not self.is_whole or not self.sent:
            return ""
        began, last = moments.read(self.started_at), moments.read(self.updated_at)
        left = max(0, self.found - self.sent)
        try:
            # The users queued last are copied within a minute.
            return (last + (last - began) * (left / self.sent) + timedelta(minutes=1)).isoformat()
        except OverflowError:
            return ""


_BLANK = FillLog("", "", "")


def to_fields(fill: FillLog) -> dict[str, Any]:
    """The document's fields; `eta` is for human readers only."""
    return records.to_fields(fill) | {"eta": fill.eta()}


class FillLogs:
    """Reads and writes the fill. Every write is conditional (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def latest(self) -> tuple[FillLog | None, Document | None]:
        """The newest fill and its document; no fill if a manual edit damaged it."""
        document = self._documents.read(_NAME)
        if document is None:
            return None, None
        try:
            fill = records.from_fields(_BLANK, document.fields)
            moments.read(fill.started_at)
            moments.read(fill.updated_at)
        except (TypeError, ValueError, OverflowError) as error:
            log.warning('fill.set_aside why="%s"', loggable(str(error)))
            return None, document
        return fill, document

    def write(self, fill: FillLog, *, after: Document | None) -> None:
        """Replace the version read as *after* with *fill*."""
        self._documents.write(_NAME, to_fields(fill), after=after)

    def keep(self, sweep_id: str, page: int, user_ids: list[str]) -> None:
        """Store the waiting users of a page, replacing what an earlier attempt stored."""
        records.keep_ids(self._documents, _waiting_name(sweep_id, page), user_ids)

    def kept(self, sweep_id: str, page: int) -> list[str]:
        """The users that `keep` stored for a page."""
        return records.kept_ids(self._documents, _waiting_name(sweep_id, page))


def _waiting_name(sweep_id: str, page: int) -> str:
    return f"sweeps/{sweep_id}/turns-{page}.json"
