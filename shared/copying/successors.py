"""
The messages that this process has queued for a later attempt, so that copies of them end early.

A wait sends a new message and lets the host delete the old one. If storage carries out the send but
its response is lost, the old message returns and sends another: two messages now do one job. While
Microsoft 365 and storage both fail, each of them can double again, for as long as a day.

A message ends at once if another message that does all of its work is certain to run later: this
process sent it, storage confirmed it, and it is still hidden. Other processes do not know of it, so
each of them may keep one more; that is a bound, and no storage call is needed to decide.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from shared.messages.sync_message import SyncMessage

# Each takes about 1 KB. Above that, copies of further messages run as if they were the only one.
MOST = 20_000
# Storage hides a message for whole seconds, and a delay of 9.5 s is rounded to 9.
_ROUNDING = 1.0


class _Hidden(NamedTuple):
    until: float
    force: bool


class Successors:
    """One per process; threads share it."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._hidden: dict[SyncMessage, _Hidden] = {}
        self._lock = threading.Lock()

    def add(self, message: SyncMessage, *, hidden_until: float) -> None:
        """Remember *message*, which storage has confirmed and hides until these ticks."""
        with self._lock:
            if len(self._hidden) >= MOST:
                now = self._ticks()
                self._hidden = {key: one for key, one in self._hidden.items() if one.until > now}
            if len(self._hidden) < MOST:
                self._hidden[_job(message)] = _Hidden(hidden_until - _ROUNDING, message.force)

    def seconds_until(self, message: SyncMessage) -> float:
        """Seconds until a message that does all the work of *message* may run; 0.0 if none will."""
        found = self._hidden.get(_job(message))
        # Only a forced successor repeats a copy that an earlier run may have left half done.
        if found is None or message.force and not found.force:
            return 0.0
        return max(0.0, found.until - self._ticks())


def _job(message: SyncMessage) -> SyncMessage:
    """What all attempts of one message have in common."""
    return replace(message, attempt=0, force=False)
