"""
Tells every part of the app that PhotoSync is being uninstalled.

    order written                       every process obeys it
    time  ----|<--- CHECKED_EVERY --->|------------------------->

A process caches a "no" for that long, so that a message costs no extra call. It checks a "yes" each
time, so that a cancelled order ends at once. A run can act on an outdated "no" only until then; a
round that begins later finds what such a run leaves behind (`uninstall`).
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
        # The process asks, once a minute, not a message: no message is charged for the calls.
        with calls.noted():
            uninstall = self._logs.read().log
        if uninstall is not None and uninstall.halts:
            return True
        self._no_until = began + CHECKED_EVERY
        return False

    def orders(self, uninstall_id: str) -> bool:
        """Whether this uninstall is running and removes pictures."""
        uninstall = self._logs.read().log
        return (
            uninstall is not None
            and (uninstall.id, uninstall.status) == (uninstall_id, RUNNING)
            and uninstall.remove_pictures
        )

    def forget_no(self) -> None:
        """Forget a cached "no": an order was just given in this process."""
        self._no_until = float("-inf")
