"""
Which users of a sweep's page go to the worker at once, and who waits for a turn.

One rule. What a sweep finds in the first minute's room goes at once, those who have changed before
those who are new; and so do those of every page who have changed, if they are few. Everybody else
is written down, and a fill gives them their turns. While the fill of an earlier sweep is at work,
whoever would have to wait is left to it, or to the first sweep after it: so nobody stands in two
lists.

A person's change is in none of this: its notification is a message of its own, and finds the queue
as short as a fill keeps it.
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

# So many of a page of 5,000 users never wait: changes of an hour, not a first fill.
FEW = JUDGED_AT_ONCE // 50
# Why a sweep finds somebody who was never copied; see sweep_rules.
_FIRSTS = {"new", "dry-run"}


class Turns:
    """Gives the users of a sweep their turns."""

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
        """So *few* of a page never wait."""
        self._fills = fills
        self._users = users
        self._upkeep = upkeep
        self._pace = pace
        self._clock = clock
        self._few = few

    def queue(self, sweep: SweepLog, found: Sequence[tuple[str, str]]) -> list[str]:
        """
        Queue the users, each with a reason, whom a page has *found*; who of them has to wait.

        Raises ServiceDown; then some may be queued.
        """
        # Those who have a picture, an older one, before those who have none.
        ordered = sorted(found, key=lambda each: each[1] in _FIRSTS)
        if len(ordered) <= self._few:
            self._send(ordered)
            return []
        fill, _ = self._fills.latest()
        is_anothers = (
            fill is not None and fill.status == fill_log.RUNNING and fill.sweep_id != sweep.id
        )
        room = 0 if is_anothers else self._pace().a_minute - sum(sweep.changed.values())
        changed = sum(why not in _FIRSTS for _, why in ordered)
        # More than a few are no changes of people but of a setting: everybody is copied again.
        at_once = max(room, changed if changed <= self._few else 0)
        self._send(ordered[:at_once])
        return [] if is_anothers else [user_id for user_id, _ in ordered[at_once:]]

    def keep(self, sweep: SweepLog, waiting: list[str]) -> None:
        """
        Write down who waits of the pages that are done, and begin a fill unless one has begun.

        Raises Conflict where another run began one at this moment, ServiceDown.
        """
        if waiting:
            self._fills.keep(sweep.id, sweep.page, waiting)
            self._begin(sweep)

    def _send(self, users: Sequence[tuple[str, str]]) -> None:
        self._users.queue([user_id for user_id, _ in users], reason="sweep")

    def _begin(self, sweep: SweepLog) -> None:
        """Begin the fill of *sweep* unless it has begun."""
        fill, read = self._fills.latest()
        if fill and fill.status == fill_log.RUNNING:
            return
        # First the message: the page that comes back if the run dies between finds no fill, and
        # begins one with a message of its own. Of two the log lets one go on.
        message = UpkeepMessage(FILL, sweep_id=sweep.id, page=1)
        self._upkeep.send(message.to_json(), delay_seconds=MINUTE.total_seconds())
        now = self._clock().isoformat()
        self._fills.write(FillLog(sweep.id, now, now, page=sweep.page), after=read)
        log.info("fill.started sweep=%s", sweep.id)
