"""Queues many users at once for the worker."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from shared.messages.sync_message import SyncMessage
from shared.signature import APP, Signature
from shared.storage.delayed_queue import DelayedQueue

_MESSAGES_AT_ONCE = 8
# Signs the replays that a sweep orders.
_OURS = Signature(APP)


class UserQueue:
    """Queue `photo-sync`, for many users at once."""

    def __init__(
        self, queue: DelayedQueue, *, clock: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._new_id = new_id
        self._pool = ThreadPoolExecutor(_MESSAGES_AT_ONCE, thread_name_prefix="queue")

    def queue(
        self,
        user_ids: Sequence[str],
        *,
        reason: str,
        sweep_id: str = "",
        uninstall_id: str = "",
        over: timedelta = timedelta(),
    ) -> None:
        """
        Queue one message per user, to become visible one after another *over* this much time.

        A removal names its sweep by *sweep_id*, an uninstall itself by *uninstall_id*.

        Raises ServiceDown; then some may be queued.
        """
        now = self._clock()

        apart = over.total_seconds() / max(1, len(user_ids))

        def message(user_id: str) -> SyncMessage:
            about = user_id, reason, False, 1, now, self._new_id(), sweep_id, uninstall_id
            return SyncMessage(*about, by=_OURS)

        self.send(map(message, user_ids), apart=apart)

    def send(self, messages: Iterable[SyncMessage], *, apart: float = 0.0) -> None:
        """
        Queue *messages*, each *apart* seconds after the one before.

        Raises ServiceDown, AccessDenied; then some may be queued.
        """

        def send(place: int, message: SyncMessage) -> None:
            self._queue.send(message.to_json(), delay_seconds=place * apart)

        # list: an error in a thread surfaces only when its result is read.
        list(self._pool.map(send, itertools.count(), messages))
