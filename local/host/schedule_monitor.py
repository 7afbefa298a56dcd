"""
The last and next occurrence of a timer, kept in storage so that none is missed.

Documented: Azure/azure-webjobs-sdk-extensions, ScheduleMonitor.cs, StorageScheduleMonitor.cs and
TimerListener.cs.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from azure.core.exceptions import AzureError

from local.host.host_storage import HostStorage
from local.host.schedule import Schedule

log = logging.getLogger("host")

# .NET's value for "never": its earliest moment.
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """The status of one timer; `last` and `updated` may be NEVER."""

    last: datetime
    next: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """The form in the blob and for the function."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }

    @classmethod
    def after_run(cls, schedule: Schedule, moment: datetime) -> Status:
        """The status after the timer has run at *moment*."""
        return cls(moment, schedule.next_after(moment), moment)


class ScheduleMonitor:
    """The status of one timer, in a blob."""

    def __init__(self, storage: HostStorage, function: str) -> None:
        self._storage = storage
        self._blob = f"timers/{storage.host}/Host.Functions.{function}/status"

    async def begin(self, schedule: Schedule, now: datetime) -> tuple[Status, bool]:
        """
        The status when a host starts, and whether an occurrence was missed.

        Raises AzureError if storage does not answer. A schedule that was changed has missed
        nothing: its next occurrence is computed from now.
        """
        status = self._parsed(await self._storage.call(lambda blobs: blobs.read(self._blob)))
        if status is None:
            status = Status(NEVER, schedule.next_after(now), now)
            await self.write(status)
            return status, False
        counted_from = next((each for each in (status.last, status.updated) if each > NEVER), now)
        expected = schedule.next_after(counted_from)
        if status.next != expected:
            if now > expected:
                expected, counted_from = schedule.next_after(now), now
            status = replace(status, last=NEVER, next=expected, updated=counted_from)
            await self.write(status)
        return status, now > status.next

    async def write(self, status: Status) -> None:
        """Store *status*; log it if storage fails."""
        content = json.dumps(status.as_json()).encode()
        try:
            await self._storage.call(lambda blobs: blobs.write(self._blob, content))
        except AzureError as error:
            log.error("%s cannot be written: %s", self._blob, error)

    def _parsed(self, text: bytes | None) -> Status | None:
        if text is None:
            return None
        try:
            found = json.loads(text)
            return Status(*(_moment(found[name]) for name in ("Last", "Next", "LastUpdated")))
        except (ValueError, TypeError, KeyError) as error:
            log.error("%s is unreadable and is replaced: %r", self._blob, error)
            return None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
