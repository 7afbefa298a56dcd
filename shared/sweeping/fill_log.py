"""
What is known of the newest fill, in document `sweeps/fill.json`, and who waits for a turn in it.

A fill belongs to one sweep, which writes down beside each of its pages who waits.
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
    One fill. `step` is the next one, from 1; `page` and `offset` say whose turn it is then.

    `sent` users had theirs, of `found` whom the sweep has written down so far; `is_whole` says
    that it writes down no more. `percent` of the tenant's pace were taken
    at the last step, while so many messages were `waiting`.
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
        When the last turn comes if all goes on as it did since the first; empty if nobody can know.

        That is while the sweep still finds more, and before anybody had a turn.
        """
        if self.status != RUNNING or not self.is_whole or not self.sent:
            return ""
        began, last = moments.read(self.started_at), moments.read(self.updated_at)
        left = max(0, self.found - self.sent)
        try:
            # Who was sent last is copied within a minute.
            return (last + (last - began) * (left / self.sent) + timedelta(minutes=1)).isoformat()
        except OverflowError:
            return ""


_BLANK = FillLog("", "", "")


def to_fields(fill: FillLog) -> dict[str, Any]:
    """The document's fields; `eta` is for people only."""
    return records.to_fields(fill) | {"eta": fill.eta()}


class FillLogs:
    """Reads and writes the fill. Every write names the version it replaces (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def latest(self) -> tuple[FillLog | None, Document | None]:
        """The newest fill and the version it was read from; no fill where a person broke it."""
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
        """Write *fill* in place of what was read as *after*."""
        self._documents.write(_NAME, to_fields(fill), after=after)

    def keep(self, sweep_id: str, page: int, user_ids: list[str]) -> None:
        """Remember who of a page waits, in place of what an earlier try found."""
        records.keep_ids(self._documents, _waiting_name(sweep_id, page), user_ids)

    def kept(self, sweep_id: str, page: int) -> list[str]:
        """What `keep` kept of a page."""
        return records.kept_ids(self._documents, _waiting_name(sweep_id, page))


def _waiting_name(sweep_id: str, page: int) -> str:
    return f"sweeps/{sweep_id}/turns-{page}.json"
