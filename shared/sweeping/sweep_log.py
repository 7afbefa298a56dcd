"""
What is known of a sweep, in blob `sweeps/<id>.json`, and of the newest one, `sweeps/latest.json`.

The blob is the sweep's memory: a page message that finds the sweep elsewhere than at its own page
is late or a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared import moments
from shared.errors import EndlessList
from shared.messages.sweep_id import is_sweep_id
from shared.storage import records
from shared.storage.documents import Document, Documents
from shared.sweeping import sweep_rules
from shared.telemetry.log_text import loggable

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
# Of the removals: none due; due and to be queued; held back by the brake; queued.
NONE, DUE, BRAKED, QUEUED = "none", "due", "braked", "queued"
_STATUSES, _REMOVALS = {RUNNING, FINISHED, FAILED}, {NONE, DUE, BRAKED, QUEUED}

LATEST = "sweeps/latest.json"

log = logging.getLogger("photosync")


@dataclass(frozen=True)
class SweepLog:
    """
    One sweep. `page` is the next page to work off, from 1, and `next` its path in Graph.

    `mark` is the fingerprint of an earlier page's path.

    `managed` counts users whose SharePoint picture is ours, `gone` those of them whose photo two
    looks have missed; `failed` users about whom Graph gave no answer or an odd one; `changed` how
    many users were sent to the worker, by reason.
    """

    id: str
    started_at: str
    updated_at: str
    status: str = RUNNING
    detail: str = ""
    page: int = 1
    next: str = ""
    users: int = 0
    in_scope: int = 0
    failed: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    managed: int = 0
    gone: int = 0
    removals: str = NONE
    stalls: int = 0
    previous: str = ""
    expected_users: int = 0
    finished_at: str = ""
    mark: str = ""

    def must_end_with(self, following: str) -> None:
        """Raise EndlessList if *following* is this page or an earlier one, or one too many."""
        if following and (
            following == self.next
            or sweep_rules.fingerprint(following) == self.mark
            or self.page >= sweep_rules.MOST_PAGES
        ):
            raise EndlessList(
                "Microsoft Graph's list of users comes back to an earlier page or goes on and on: "
                "this sweep would never end. It removes nothing, and the next one begins anew."
            )

    def marked(self, following: str) -> str:
        """What to remember of the way, now that the next page is *following*."""
        # Brent's cycle detection: one link is remembered, and replaced at pages 1, 2, 4, 8 and so
        # on. Sooner or later it lies on the cycle, and is met again before it is replaced.
        is_power_of_two = self.page & (self.page - 1) == 0
        return sweep_rules.fingerprint(following) if is_power_of_two else self.mark

    def finished(self, now: str) -> SweepLog:
        """The sweep after its last page, with what becomes of its removals."""
        ended = replace(self, status=FINISHED, finished_at=now)
        if not sweep_rules.looks_like_an_outage(self.gone, self.managed):
            return replace(ended, removals=DUE if self.gone else NONE)
        return replace(
            ended,
            removals=BRAKED,
            detail=(
                f"{self.gone} of {self.managed} pictures would be removed at once, which looks "
                "like an outage of the source. None is removed until a person releases them."
            ),
        )

    def progress(self) -> float:
        """How much is done, 0 to 1, judged by the last sweep's number of users."""
        if self.status == FINISHED:
            return 1.0
        # The last sweep may have found fewer users than there are now.
        return min(0.99, self.users / self.expected_users) if self.expected_users else 0.0

    def eta(self) -> str:
        """When it may end, judged by the last sweep's number of users; empty when unknown."""
        if self.status != RUNNING or not self.users or not self.expected_users:
            return ""
        began = moments.read(self.started_at)
        spent = moments.read(self.updated_at) - began
        try:
            return (began + spent * max(1.0, self.expected_users / self.users)).isoformat()
        except OverflowError:
            return ""


_BLANK = SweepLog("", "", "")


def to_fields(sweep: SweepLog) -> dict[str, Any]:
    """The blob's fields; `pages` and `eta` are for people only."""
    return records.to_fields(sweep) | {"pages": sweep.page - 1, "eta": sweep.eta()}


class SweepLogs:
    """Reads and writes sweeps. Every write names the version it replaces (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def latest(self) -> tuple[SweepLog | None, Document | None]:
        """The newest sweep, and the pointer to it as it was read."""
        pointer = self._documents.read(LATEST)
        if pointer is None:
            return None, None
        found = self.read(pointer.fields.get("id"))
        return (found[0] if found else None), pointer

    def read(self, sweep_id: Any) -> tuple[SweepLog, Document] | None:
        """One sweep and the version it was read from; None when there is none, or a damaged one."""
        if not isinstance(sweep_id, str) or not is_sweep_id(sweep_id):
            return None
        document = self._documents.read(_name(sweep_id))
        if document is None:
            return None
        try:
            return _read(sweep_id, document.fields), document
        except (TypeError, ValueError, OverflowError) as error:
            log.warning('sweep.set_aside id=%s why="%s"', sweep_id, loggable(str(error)))
            return None

    def begin(self, sweep: SweepLog, pointer: Document | None) -> None:
        """Write a new sweep and make it the newest; Conflict when another run was faster."""
        self.write(sweep, after=None)
        self._documents.write(LATEST, {"id": sweep.id}, after=pointer)

    def write(self, sweep: SweepLog, *, after: Document | None) -> Document:
        """Write *sweep* in place of what was read as *after*."""
        return self._documents.write(_name(sweep.id), to_fields(sweep), after=after)

    def keep_gone(self, sweep_id: str, page: int, user_ids: list[str]) -> None:
        """Remember who of a page may lose the picture, in place of what an earlier try found."""
        records.keep_ids(self._documents, _gone_name(sweep_id, page), user_ids)

    def gone(self, sweep_id: str, page: int) -> list[str]:
        """What `keep_gone` kept of a page."""
        return records.kept_ids(self._documents, _gone_name(sweep_id, page))


def _read(sweep_id: str, written: Mapping[str, Any]) -> SweepLog:
    """
    The sweep of which *written* tells.

    Raises TypeError, ValueError and OverflowError if a person has written it and no sweep.
    """
    found = records.from_fields(_BLANK, written)
    if found.id != sweep_id or found.status not in _STATUSES or found.removals not in _REMOVALS:
        raise ValueError("It is of another sweep, or says what none says of itself.")
    if not 1 <= found.page <= sweep_rules.MOST_PAGES + 1:
        raise ValueError("No sweep has such a page.")
    moments.read(found.started_at)
    moments.read(found.updated_at)
    return found


def _name(sweep_id: str) -> str:
    return f"sweeps/{sweep_id}.json"


def _gone_name(sweep_id: str, page: int) -> str:
    return f"sweeps/{sweep_id}/gone-{page}.json"
