"""
Queues the users on a sweep's waiting lists, at the pace that the tenant's limits allow.

A fill is a chain of messages, one a minute:

    step n: count the waiting messages, and raise or lower the pace accordingly; queue as many
            users as there is room for, spread over the next minute
            write sweeps/fill.json for step n     conditional; lost -> another run did this step
            queue step n + 1

So the queue holds about a minute's worth of first copies, whatever the backlog, and a change finds
a short queue. When Microsoft throttles, messages pile up and the fill slows down. A run may die
at any point: a repeated step queues some users twice, which costs two calls each; a lost
message is queued again when the next sweep begins. The first sweep after the fill finds any user
who was missed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from shared import moments
from shared.errors import Conflict
from shared.messages.upkeep_message import FILL, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Document
from shared.sweeping import fill_log, sweep_log
from shared.sweeping.fill_log import FillLog, FillLogs
from shared.sweeping.pace import DAY, MINUTE, Pace
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.user_queue import UserQueue

log = logging.getLogger("photosync")

# Several steps. A fill that has made no progress for this long has lost its message.
QUIET = timedelta(minutes=15)
# How long the host hides the message of a run that died.
_DEAD_AFTER = timedelta(minutes=2)
# After this long without progress, the sweep's message has been given up (see `disposition`).
_ABANDONED_AFTER = 2 * DAY
# Pages without waiting users are read too: limits how many of a million users' pages a step reads.
_PAGES_A_STEP = 100


class Fill:
    """Processes the steps of a fill."""

    def __init__(
        self,
        fills: FillLogs,
        sweeps: SweepLogs,
        users: UserQueue,
        upkeep: DelayedQueue,
        *,
        pace: Callable[[], Pace],
        waiting: Callable[[], int],
        clock: Callable[[], datetime],
    ) -> None:
        """*waiting* counts the messages in the worker's queue."""
        self._fills = fills
        self._sweeps = sweeps
        self._users = users
        self._upkeep = upkeep
        self._pace = pace
        self._waiting = waiting
        self._clock = clock

    def process(self, sweep_id: str, step: int) -> None:
        """
        Queue the next users for the worker, then the next step.

        Raises ServiceDown, and Conflict while the run that did this step may be queueing the next.
        """
        fill, read = self._fills.latest()
        if not fill or (fill.status, fill.sweep_id) != (fill_log.RUNNING, sweep_id):
            log.info("fill.stray sweep=%s step=%d", sweep_id, step)
        elif step == fill.step:
            self._do_step(fill, read)
        elif step == fill.step - 1:
            self._go_on_after(fill)
        else:
            log.info("fill.stray sweep=%s step=%d", sweep_id, step)

    def revive(self) -> None:
        """Queue the next step again if its message was lost. Raises ServiceDown."""
        fill, _ = self._fills.latest()
        if fill and fill.status == fill_log.RUNNING and self._is_quiet(fill, QUIET):
            log.warning("fill.revived sweep=%s step=%d", fill.sweep_id, fill.step)
            self._go_on(fill, delay_seconds=0)

    def _do_step(self, fill: FillLog, read: Document | None) -> None:
        now = self._clock()
        found = self._sweeps.read(fill.sweep_id)
        sweep = found[0] if found else None
        pace = self._pace()
        waiting = self._waiting()
        before = _waited_before(fill, waiting)
        percent = pace.next_percent(fill.percent, waiting=waiting, before=before)
        room = pace.room(
            sent=fill.sent,
            age=now - moments.read(fill.started_at),
            since=now - moments.read(fill.updated_at),
            percent=percent,
        )
        users, page, offset = self._next(fill, sweep, room)
        self._users.queue(users, reason="sweep", over=MINUTE)
        is_whole = sweep is None or not self._may_find_more(sweep)
        is_over = is_whole and page >= (sweep.page if sweep else 0)
        after = replace(
            fill,
            updated_at=now.isoformat(),
            step=fill.step + 1,
            page=page,
            offset=offset,
            sent=fill.sent + len(users),
            percent=percent,
            waiting=waiting,
            found=sweep.turns if sweep else fill.sent + len(users),
            is_whole=is_whole,
            status=fill_log.FINISHED if is_over else fill_log.RUNNING,
            finished_at=now.isoformat() if is_over else "",
        )
        try:
            self._fills.write(after, after=read)
        except Conflict:
            log.info("fill.duplicate sweep=%s step=%d", fill.sweep_id, fill.step)
            return
        log.info("fill.%s sent=%d of=%d room=%d", after.status, after.sent, after.found, room)
        if not is_over:
            self._go_on(after, delay_seconds=MINUTE.total_seconds())

    def _next(self, fill: FillLog, sweep: SweepLog | None, room: int) -> tuple[list[str], int, int]:
        """Up to *room* users to queue now, and the page and offset to continue from."""
        users: list[str] = []
        page, offset = fill.page, fill.offset
        for _ in range(_PAGES_A_STEP):
            # The sweep may still rewrite its current page.
            if sweep is None or page >= sweep.page:
                break
            waiting = self._fills.kept(fill.sweep_id, page)[offset:]
            taken = waiting[: room - len(users)]
            users += taken
            if len(taken) < len(waiting):
                return users, page, offset + len(taken)
            page, offset = page + 1, 0
        return users, page, offset

    def _may_find_more(self, sweep: SweepLog) -> bool:
        """Whether the sweep may still find users; an abandoned one never will."""
        quiet = abs(self._clock() - moments.read(sweep.updated_at))
        return sweep.status == sweep_log.RUNNING and quiet <= _ABANDONED_AFTER

    def _go_on_after(self, fill: FillLog) -> None:
        """This step is already done: queue the next, unless the run that did it may still do so."""
        if not self._is_quiet(fill, _DEAD_AFTER):
            raise Conflict(
                "The run that finished this step may still be queueing the next one.",
                retry_after=_DEAD_AFTER.total_seconds(),
            )
        self._go_on(fill, delay_seconds=0)

    def _is_quiet(self, fill: FillLog, how_long: timedelta) -> bool:
        # A time in the future cannot be when work was done.
        return abs(self._clock() - moments.read(fill.updated_at)) > how_long

    def _go_on(self, fill: FillLog, *, delay_seconds: float) -> None:
        message = UpkeepMessage(FILL, sweep_id=fill.sweep_id, page=fill.step)
        self._upkeep.send(message.to_json(), delay_seconds=delay_seconds)


def _waited_before(fill: FillLog, waiting: int) -> int:
    """How many messages waited at the previous step; the first step has no earlier count."""
    return fill.waiting if fill.step > 1 else waiting
