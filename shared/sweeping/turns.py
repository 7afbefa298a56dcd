"""
Which users of a sweep's page go to the worker at once, and which wait for a fill.

Users whom a sweep finds within the first minute's quota go at once, changed ones before new ones.
So do the changed users of every page, if they are few. All others are put on a list, which a fill
works through. While the fill of an earlier sweep is running, users who would have to wait are left
to it, or to the first sweep after it, so that no user is on two lists.

A person's own change never waits here: its notification is a separate message, and a fill keeps the
queue short for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from shared.messages.upkeep_message import FILL, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.sweeping import fill_log
from shared.sweeping.fill_log import FillLog, FillLogs
from shared.sweeping.pace import MINUTE, Pace
from shared.sweeping.state_page import JUDGED_AT_ONCE
from shared.sweeping.sweep_log import SweepLog
from shared.sweeping.user_queue import UserQueue

log = logging.getLogger("photosync")

# This many users of a page of 5,000 never wait: an hour's changes, not a first fill.
FEW = JUDGED_AT_ONCE // 50
# The reasons of users who were never copied; see sweep_rules.
_FIRSTS = {"new", "dry-run"}


class Turns:
    """Decides which users of a sweep are queued now and which wait."""

    def __init__(
        self,
        fills: FillLogs,
        users: UserQueue,
        upkeep: DelayedQueue,
        *,
        pace: Callable[[], Pace],
        clock: Callable[[], datetime],
        few: int = FEW,
    ) -> None:
        """Up to *few* users of a page never wait."""
        self._fills = fills
        self._users = users
        self._upkeep = upkeep
        self._pace = pace
        self._clock = clock
        self._few = few

    def queue(self, sweep: SweepLog, found: Sequence[tuple[str, str]]) -> list[str]:
        """
        Queue the users that a page has *found*, each with a reason; return those who must wait.

        Raises ServiceDown; then some may be queued.
        """
        # Users who have an outdated picture go before users who have none.
        ordered = sorted(found, key=lambda each: each[1] in _FIRSTS)
        if len(ordered) <= self._few:
            self._send(ordered)
            return []
        fill, _ = self._fills.latest()
        another_runs = (
            fill is not None and fill.status == fill_log.RUNNING and fill.sweep_id != sweep.id
        )
        room = 0 if another_runs else self._pace().a_minute - sum(sweep.changed.values())
        changed = sum(why not in _FIRSTS for _, why in ordered)
        # Many changes at once mean a changed setting, not changed photos: everyone is copied again.
        at_once = max(room, changed if changed <= self._few else 0)
        self._send(ordered[:at_once])
        return [] if another_runs else [user_id for user_id, _ in ordered[at_once:]]

    def keep(self, sweep: SweepLog, waiting: list[str]) -> None:
        """
        Store the waiting users of the pages that are done, and begin a fill unless one has begun.

        Raises ServiceDown, and Conflict if another run began one at the same moment.
        """
        if waiting:
            self._fills.keep(sweep.id, sweep.page, waiting)
            self._begin(sweep)

    def _send(self, users: Sequence[tuple[str, str]]) -> None:
        self._users.queue([user_id for user_id, _ in users], reason="sweep")

    def _begin(self, sweep: SweepLog) -> None:
        """Begin the fill of *sweep* unless a fill is running."""
        fill, read = self._fills.latest()
        if fill and fill.status == fill_log.RUNNING:
            return
        # The message first. If the run dies before the write, the page comes back, finds no fill,
        # and begins one with another message. The log lets only one of the two messages go on.
        message = UpkeepMessage(FILL, sweep_id=sweep.id, page=1)
        self._upkeep.send(message.to_json(), delay_seconds=MINUTE.total_seconds())
        now = self._clock().isoformat()
        self._fills.write(FillLog(sweep.id, now, now, page=sweep.page), after=read)
        log.info("fill.started sweep=%s", sweep.id)
