"""
Tells every part of the app that PhotoSync is being taken back.

    order written                       every process heeds it
    time  ----|<--- CHECKED_EVERY --->|------------------------->

A "no" holds for that long in a process, so that a message costs nothing more; a "yes" is asked for
each time, so that an order that is taken back ends at once. Whoever acts on an old "no" can do so
only until then: what such a run leaves behind is found by a round that begins later (`uninstall`).
"""

from __future__ import annotations

from collections.abc import Callable

from shared.telemetry import calls
from shared.uninstalling.uninstall_log import RUNNING, UninstallLogs

CHECKED_EVERY = 60.0


class Halt:
    """One per process; threads share it. Errors: ServiceDown, AccessDenied."""

    def __init__(self, logs: UninstallLogs, ticks: Callable[[], float]) -> None:
        self._logs = logs
        self._ticks = ticks
        self._no_until = float("-inf")

    def is_on(self) -> bool:
        """Whether nothing may be copied, swept or subscribed."""
        began = self._ticks()
        if began < self._no_until:
            return False
        # It is the process that asks, once a minute, and no message: none is charged with it.
        with calls.noted():
            uninstall = self._logs.read().log
        if uninstall is not None and uninstall.halts:
            return True
        self._no_until = began + CHECKED_EVERY
        return False

    def orders(self, uninstall_id: str) -> bool:
        """Whether this uninstall runs now and takes pictures back."""
        uninstall = self._logs.read().log
        return (
            uninstall is not None
            and (uninstall.id, uninstall.status) == (uninstall_id, RUNNING)
            and uninstall.remove_pictures
        )

    def heed(self) -> None:
        """Forget a "no": in this process an order was given just now."""
        self._no_until = float("-inf")
