"""
Handles messages while app settings are wrong: they wait for up to a day, then are set aside.

If they were refused, the host would give each of them up within minutes, and no user would be
checked until the next sweep. This needs only the storage account.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from shared.errors import BadMessage, SettingsError
from shared.messages import sync_message, upkeep_message
from shared.messages.disposition import waited_long_enough
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.unreadable import set_aside
from shared.storage.user_state import Store
from shared.telemetry.log_text import loggable

log = logging.getLogger("photosync")

WAIT_SECONDS = 300.0


class NoUpkeep:
    """
    Stands in for Upkeep until a person has fixed the settings.

    Timers repeat their orders, so only a bundle of users has to wait.
    """

    def __init__(
        self,
        error: SettingsError,
        store: Store,
        queue: DelayedQueue,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._error = error
        self._store = store
        self._queue = queue
        self._clock = clock
        self._new_id = new_id

    def process(self, body: bytes, *, message_id: str = "", redelivered: bool = False) -> None:
        """Log what is wrong, and defer a bundle. Raises ServiceDown."""
        self._log_error()
        now = self._clock()
        try:
            message = upkeep_message.parse(body, now=now)
        except BadMessage as error:
            self._keep(body, str(error))
            return
        if message.kind == upkeep_message.BUNDLE:
            self._wait(body, message.first_queued_at or now, message.again(now).to_json())

    def park(self, body: bytes) -> None:
        """Set aside a message that the host gave up on, with the reason."""
        self._log_error()
        self._keep(body, str(self._error))
        log.error("upkeep.parked")

    def _log_error(self) -> None:
        log.error('settings.wrong why="%s"', loggable(str(self._error)))

    def _wait(self, body: bytes, first_queued_at: datetime, again: str) -> None:
        """Queue *again* in place of *body* with a delay; after a day, set *body* aside instead."""
        if waited_long_enough(first_queued_at, self._clock()):
            self._keep(body, str(self._error))
        else:
            self._queue.send(again, delay_seconds=WAIT_SECONDS)

    def _keep(self, body: bytes, reason: str) -> None:
        set_aside(self._store, body, reason, now=self._clock(), new_id=self._new_id)


class NoWorker(NoUpkeep):
    """Stands in for Worker until a person has fixed the settings."""

    def process(self, body: bytes, *, message_id: str = "", redelivered: bool = False) -> None:
        """Log what is wrong, and defer a sync message. Raises ServiceDown."""
        self._log_error()
        now = self._clock()
        try:
            message = sync_message.parse(body, now=now, correlation_id=self._new_id())
        except BadMessage as error:
            self._keep(body, str(error))
            return
        self._wait(body, message.first_queued_at, message.again(force=redelivered).to_json())

    def park(self, body: bytes) -> None:
        """Set aside a message that the host gave up on, with the reason."""
        self._log_error()
        self._keep(body, str(self._error))
        log.error("photo.parked user=-")
