"""
Empties the poison queues, and records their messages where an admin sees them.

A timer does this, not a queue trigger. If a triggered function fails five times on a message, a
host whose queue extension is older than 5.3.8 leaves the message there for good, and it expires
after a week (functions.md, Storage-queue trigger). Here a message is deleted only once it is
recorded, however often that fails.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from shared.errors import GiveUp, PhotoSyncError, TryLater
from shared.storage.unreadable import Keeper, set_aside
from shared.telemetry.log_text import loggable, place

log = logging.getLogger("photosync")

# Messages per queue and run: a minute or two of work.
MOST = 1000

_CRASHED = "PhotoSync failed to record this message. Look for parking.crashed in the log."


class HiddenMessage(Protocol):
    """A message that stays invisible to other readers for some minutes."""

    @property
    def body(self) -> bytes: ...

    def delete(self) -> None: ...


class PoisonQueue(Protocol):
    """Where the host puts messages that it gave up on. Errors: ServiceDown, AccessDenied."""

    def take(self, most: int) -> Iterable[HiddenMessage]: ...


class PoisonHandler(NamedTuple):
    """A poison queue and the function that records its messages."""

    queue: PoisonQueue
    record: Callable[[bytes], object]


class Parking:
    """One per process."""

    def __init__(
        self,
        queues: Sequence[PoisonHandler],
        keeper: Keeper,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._queues = queues
        self._keeper = keeper
        self._clock = clock
        self._new_id = new_id

    def empty(self) -> None:
        """Record every message that can be recorded now; the rest wait for the next run."""
        for queue, record in self._queues:
            try:
                for message in queue.take(MOST):
                    self._park(message, record)
            except (TryLater, GiveUp) as error:
                log.warning('parking.waits why="%s"', loggable(str(error)))

    def _park(self, message: HiddenMessage, record: Callable[[bytes], object]) -> None:
        try:
            self._record(message.body, record)
            message.delete()
        except (TryLater, GiveUp) as error:
            # This may concern one user only; the next message may be another user's.
            log.warning('parking.waits why="%s"', loggable(str(error)))

    def _record(self, body: bytes, record: Callable[[bytes], object]) -> None:
        try:
            record(body)
        except PhotoSyncError:
            raise
        except Exception as error:  # noqa: BLE001 # a message must not stop the others
            log.error("parking.crashed error=%s at=%s", type(error).__name__, place(error))
            set_aside(self._keeper, body, _CRASHED, now=self._clock(), new_id=self._new_id)
