"""
The removals that a sweep has found: users whose photo is gone, and users who have left.

A finished sweep queues them for the worker, which checks each again, or the brake holds them back
until a person releases them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from shared.messages.sync_message import REMOVAL
from shared.messages.upkeep_message import REMOVALS, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.sweeping.sweep_log import SweepLogs
from shared.sweeping.user_queue import UserQueue

log = logging.getLogger("photosync")


class Removals:
    """All methods raise ServiceDown, and Conflict if another run wrote the sweep's log first."""

    def __init__(
        self,
        logs: SweepLogs,
        users: UserQueue,
        upkeep: DelayedQueue,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._logs = logs
        self._users = users
        self._upkeep = upkeep
        self._clock = clock

    def release(self) -> int:
        """Release the removals that the brake holds back, and return how many there are."""
        found = self._logs.held_back()
        if not found:
            return 0
        sweep, read = found
        released = sweep.released(f"{self._clock():%Y-%m-%d %H:%M} UTC")
        self._logs.write(released, after=read)
        self._upkeep.send(UpkeepMessage(REMOVALS, sweep_id=sweep.id).to_json(), delay_seconds=0)
        log.warning("sweep.released id=%s removals=%d", sweep.id, sweep.held_back())
        return sweep.held_back()

    def queue(self, sweep_id: str) -> None:
        """Send every user who may lose something to the worker, unless the brake is on."""
        found = self._logs.read(sweep_id)
        if not found or not found[0].is_due:
            return
        sweep, read = found
        for what in sweep.kinds_due():
            for user_ids in self._logs.gone(sweep, what=what):
                self._users.queue(user_ids, reason=REMOVAL, sweep_id=sweep_id)
        self._logs.write(sweep.all_queued(), after=read)
