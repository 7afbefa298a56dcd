"""
The messages that this process has queued for a later attempt, so that copies of them end early.

A wait sends a new message and lets the host delete the old one. If storage carries out the send but
its response is lost, the old message returns and sends another: two messages now do one job. While
Microsoft 365 and storage both fail, each of them can double again, for as long as a day.

A message ends at once if a later attempt of the same message is certain to run: this process sent
it, storage confirmed it, and it is still hidden. Of two messages with the same attempt none ends,
since one may be the other: they run, and the first successor ends the second. Other processes do
not know of it, so each of them may keep one more; that is a bound, and no storage call is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from shared.messages.sync_message import SyncMessage

# Each takes about 1 KB. Above that, copies of further messages run as if they were the only one.
MOST = 20_000
# Storage hides a message for whole seconds, and by a clock of its own.
_ROUNDING, _DRIFT = 1.0, 0.01


class _Hidden(NamedTuple):
    until: float
    attempt: int
    force: bool


class Successors:
    """One per process; threads share it."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._hidden: dict[SyncMessage, _Hidden] = {}
        self._lock = threading.Lock()

    def add(self, message: SyncMessage, *, sent_at: float, delay: float) -> None:
        """Remember *message*, which storage confirmed and hides for *delay* from *sent_at* on."""
        until = sent_at + delay * (1 - _DRIFT) - _ROUNDING
        with self._lock:
            if len(self._hidden) >= MOST:
                now = self._ticks()
                self._hidden = {key: one for key, one in self._hidden.items() if one.until > now}
            if len(self._hidden) < MOST:
                self._hidden[_job(message)] = _Hidden(until, message.attempt, message.force)

    def seconds_until(self, message: SyncMessage) -> float:
        """Seconds until a later attempt does all the work of *message*; 0.0 if none is known."""
        found = self._hidden.get(_job(message))
        if found is None or found.attempt <= message.attempt:
            return 0.0
        # Only a forced successor repeats a copy that an earlier run may have left half done.
        if message.force and not found.force:
            return 0.0
        return max(0.0, found.until - self._ticks())


def _job(message: SyncMessage) -> SyncMessage:
    """What all attempts of one message have in common."""
    return replace(message, attempt=0, force=False)
