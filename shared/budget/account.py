"""Stores the fleet's ledger: read with storage's time, written conditionally over what was read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from shared.budget.fleet_ledger import FleetLedger
from shared.budget.tenant_limit import TenantLimit
from shared.budget.work import Kind
from shared.errors import Conflict, PhotoSyncError
from shared.storage.documents import Document, Documents
from shared.telemetry import calls
from shared.telemetry.log_text import loggable

log = logging.getLogger("photosync")

# In seconds: the age at which the document is read again, so that clocks cannot drift far apart;
# and how long an instance waits before it calls storage again after a failure.
_FRESH, STORAGE_PAUSE = 60.0, 30.0

# Number of calls by the second of our clock in which they were made, rounded up, and by kind.
Spent = Mapping[tuple[int, Kind], int]


class StorageDown(Exception):
    """Storage cannot provide the account now."""


class _Reading(NamedTuple):
    """A document with storage's time, and our clock before the request and after the response."""

    document: Document
    asked: float
    answered: float

    def earliest(self, ticks: float) -> float:
        """The earliest time that storage's clock can show now."""
        return self.document.at + ticks - self.answered

    def latest(self, ticks: float) -> float:
        """The latest time that storage's clock can show now: its times are whole seconds."""
        return self.document.at + 1 + ticks - self.asked


class Account:
    """One document, for one instance. Not thread-safe."""

    def __init__(
        self,
        name: str,
        documents: Documents,
        limit: TenantLimit,
        *,
        share: float,
        instance: str,
        ticks: Callable[[], float],
    ) -> None:
        self._name = name
        self._documents = documents
        self._limit = limit
        self._share = share
        self._instance = instance
        self._ticks = ticks
        self._known: _Reading | None = None
        self._down_since: float | None = None

    @property
    def last_limit(self) -> int:
        """The last known limit."""
        return self._limit.last

    def is_known(self) -> bool:
        """Whether the last reading is recent enough to use without calling storage."""
        return self._known is not None and self._ticks() - self._known.answered < _FRESH

    def forget(self) -> None:
        """Drop the last reading: other instances may have written since."""
        self._known = None

    def ledger(self, spent: Spent, held: Counter[Kind]) -> FleetLedger:
        """The ledger as of now, including what we have *spent* and hold. Raises Away."""
        if self._down_since is not None and self._ticks() - self._down_since < STORAGE_PAUSE:
            raise StorageDown
        try:
            # Not counted as calls of the current run: other runs spend most of what it draws.
            with calls.noted():
                known = self._known if self._known and self.is_known() else self._read()
                now = known.earliest(self._ticks())
                limit, found_at = self._limit.of(known.document.fields, now)
        except PhotoSyncError as error:
            raise self._storage_down(error) from error
        self._known = known
        ledger = FleetLedger(limit, self._share, found_at)
        ledger.read(known.document.fields)
        # Our own numbers are newer.
        ledger.held.pop(self._instance, None)
        for (second, kind), number in spent.items():
            ledger.spend({kind: number}, known.latest(second))
        ledger.age(now)
        ledger.hold(self._instance, held, now)
        return ledger

    def write(self, ledger: FleetLedger, held: Counter[Kind], *, seconds: float) -> bool:
        """
        Write the ledger with *held* as ours for so many *seconds*; False if another instance wrote
        first. Raises Away.
        """
        known = self._known
        assert known, "read comes before write"
        self._known = None
        ledger.hold(self._instance, held, known.latest(self._ticks()) + seconds)
        try:
            with calls.noted():
                after = self._documents.write(self._name, ledger.to_fields(), after=known.document)
        except Conflict:
            return False
        except PhotoSyncError as error:
            raise self._storage_down(error) from error
        self._known = known._replace(document=after._replace(at=known.document.at))
        if self._down_since is not None:
            self._down_since = None
            log.info("budget.shared name=%s", self._name)
        return True

    def _read(self) -> _Reading:
        asked = self._ticks()
        found = self._documents.read(self._name)
        if found is None or not found.at:
            # Only the response to a successful read carries storage's time.
            with suppress(Conflict):
                self._documents.write(self._name, {}, after=found)
            asked = self._ticks()
            found = self._documents.read(self._name)
        if found is None or not found.at:
            raise Conflict(f"{self._name} was deleted right after it was written.")
        return _Reading(found, asked, self._ticks())

    def _storage_down(self, error: PhotoSyncError) -> StorageDown:
        self._known = None
        if self._down_since is None:
            log.warning('budget.alone name=%s why="%s"', self._name, loggable(str(error)))
        self._down_since = self._ticks()
        return StorageDown()
