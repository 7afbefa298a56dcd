"""The users to repair: sent to the worker, or held back until a person releases the brake."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.messages.upkeep_message import REPAIRS, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.sweeping.user_queue import UserQueue

log = logging.getLogger("photosync")

REASON = "audit"


class Repairs:
    """All methods raise ServiceDown, and Conflict if another run wrote the audit's log first."""

    def __init__(
        self,
        logs: AuditLogs,
        users: UserQueue,
        upkeep: DelayedQueue,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._logs = logs
        self._users = users
        self._upkeep = upkeep
        self._clock = clock

    def order(self, audit: AuditLog, page: int, user_ids: Sequence[str]) -> None:
        """Send the users found on *page* to the worker, or hold them back if the brake is on."""
        if not audit.repair:
            return
        if audit.repairs == audit_log.BRAKED:
            self._logs.hold(audit.id, page, list(user_ids))
        else:
            self._users.queue(user_ids, reason=REASON)

    def release(self) -> int:
        """
        Release the repairs that the brake holds back, and return how many there are so far.

        Can be repeated until those that were held back are queued.
        """
        found = self._logs.held_back()
        if not found:
            return 0
        audit, read = found
        detail = f"A person released the repairs at {self._clock():%Y-%m-%d %H:%M} UTC."
        released = replace(audit, repairs=audit_log.RELEASED, detail=detail)
        self._logs.write(released, after=read)
        self._upkeep.send(UpkeepMessage(REPAIRS, audit_id=audit.id).to_json(), delay_seconds=0)
        log.warning("audit.released id=%s held=%d", audit.id, audit.held)
        return audit.held

    def queue(self, audit_id: str) -> None:
        """Send all users whom the brake held back to the worker, once it is released."""
        found = self._logs.read(audit_id)
        if not found or found[0].repairs != audit_log.RELEASED:
            return
        audit, read = found
        if audit.held_from:
            for page in range(audit.held_from, audit.page):
                self._users.queue(self._logs.held(audit_id, page), reason=REASON)
            self._logs.write(replace(audit, held_from=0), after=read)
