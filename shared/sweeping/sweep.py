"""
The guarantee: checks everyone's photo, and sends each user whose picture is wrong to the worker.

Graph promises no notification for a photo-only change and drops notifications when an endpoint is
slow (graph.md sections 1 and 3). A sweep is a chain of messages; each run processes a stretch:

    users    list users, page by page, and ask for the etags of their photos; where Graph gave no
             answer about a user, record that in the user's state; store its other answers as one
             part of the snapshot
    states   list states, page by page, and compare them with all parts; read the state of each
             user who differs, and queue those the worker should check; ask Graph about some of
             the stored users, and queue those who have left or are out of scope
    write sweeps/<id>.json for the stretch     conditional; lost -> another run did this stretch
    queue the next

The source comes first and the state second, as in `copying.sync`: states are listed after Graph was
asked about everyone. So a state that says that SharePoint shows the etag found may have been
written before or after Graph was asked, but never after the listing. Any change in between makes
the two differ, or is a change in Exchange after we asked, which has its own notification and the
next sweep. In the opposite order, a user who changes a photo and changes it back during a sweep
would pass as unchanged although the worker copied the photo in between. The snapshot only ever
sends a user to the worker, which first checks the photo again. A picture for which this sweep is
the second check is removed only there.

A run may die at any point. Before the write, the stretch is repeated: a user queued twice costs two
calls. Blobs that two runs over one stretch write beside the log are named by their content, and the
log says which of them count. Between the write and the queueing, the message comes back, waits
until the sweep has been quiet for a while, and queues the next one again. A message delivered twice
loses the write, or finds after that wait at the latest that the sweep has moved on: it starts no
second chain. The next `start` queues a lost message again. A sweep that an older version began
without a snapshot continues where it is: its users were compared page by page.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from shared import moments
from shared.errors import AccessDenied, Conflict, GiveUp, OutOfScope, ServiceDown, TryLater
from shared.graph.user_listing import UserPage
from shared.messages.upkeep_message import REMOVALS, SWEEP_PAGE, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Document
from shared.storage.user_state import Store
from shared.sweeping import sweep_log, sweep_rules, unanswered
from shared.sweeping.removals import Removals
from shared.sweeping.snapshot import Snapshot, SnapshotParts
from shared.sweeping.state_page import Progress, StatePage
from shared.sweeping.stretch import LONGEST_RUN, PAGES_A_RUN, Stretch
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.sweep_page import PageResult
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.telemetry import metrics
from shared.telemetry.log_text import loggable
from shared.user import User

log = logging.getLogger("photosync")

# A chain that has made no progress for this long has lost its message.
QUIET = timedelta(minutes=15)
# A working run writes the log only after its stretch. Queueing the next message sooner would start
# a second run beside it, for this stretch and all that follow.
_DEAD_AFTER = LONGEST_RUN + timedelta(minutes=2)
STALLS = 3
# Sweeps for missed notifications begin at least this far apart: each lists all users.
APART = timedelta(minutes=10)
# How long a page may go unanswered before the sweep goes on with the users listed so far.
_LONGEST_UNANSWERED = timedelta(hours=1)
# Well below QUIET, so that a pause is never mistaken for a lost message.
_LONGEST_PAUSE = 300.0


class Listing(Protocol):
    """See UserListing."""

    def page(self, path: str = "") -> UserPage: ...


class Pages(Protocol):
    """See PageChecker."""

    def check(self, users: Sequence[User]) -> PageResult: ...


class States(Protocol):
    """See StateChecker."""

    def check(self, token: str, progress: Progress, snapshot: Snapshot) -> StatePage: ...


class Sweep:
    """Starts sweeps, and processes their pages; `removals` queues what they find to remove."""

    def __init__(
        self,
        listing: Listing,
        pages: Pages,
        state_pages: States,
        logs: SweepLogs,
        parts: SnapshotParts,
        users: UserQueue,
        turns: Turns,
        upkeep: DelayedQueue,
        states: Store,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        pages_a_run: int = PAGES_A_RUN,
    ) -> None:
        self._listing = listing
        self._pages = pages
        self._state_pages = state_pages
        self._logs = logs
        self._parts = parts
        self._users = users
        self._turns = turns
        self._upkeep = upkeep
        self._states = states
        self._clock = clock
        self._new_id = new_id
        self.removals = Removals(logs, users, upkeep, clock=clock)
        self._pages_a_run = pages_a_run

    def start(self, *, again: bool = False) -> str:
        """
        Begin a sweep, or keep a running one going and skip this one. Returns the sweep's id.

        *again*: an earlier attempt of this order may have begun the sweep and died, or failed,
        before it queued the first page. Raises ServiceDown, and Conflict if another run began one
        at the same moment.
        """
        running, pointer = self._logs.latest()
        if running and running.status == sweep_log.RUNNING:
            if again and running.is_untouched:
                self._go_on(running)
            if not self._is_quiet(running, QUIET):
                log.info("sweep.skipped running=%s page=%d", running.id, running.page)
                return running.id
            if self._revived(running):
                return running.id
        return self._begin(pointer, running)

    def make_up_for(self, moment: datetime, *, again: bool = False) -> None:
        """
        Begin a sweep for what was missed before *moment*, unless one has begun since.

        *again* as for `start`.

        Raises what `start` does, and Conflict if one began a short time before: then this one
        waits.
        """
        newest, _ = self._logs.latest()
        if newest:
            if again and newest.is_untouched:
                self._go_on(newest)
            began, now = moments.read(newest.started_at), self._clock()
            if moment <= began <= now and newest.status != sweep_log.FAILED:
                log.info("sweep.covered by=%s", newest.id)
                return
            if now - APART < began <= now:
                left = (began + APART - now).total_seconds()
                raise Conflict("A sweep began a moment ago.", retry_after=left)
        self.start()

    def process(self, sweep_id: str, page: int) -> None:
        """
        Process a stretch of a sweep, and queue the next.

        Raises TryLater if the stretch must be tried again, and GiveUp, such as EndlessList, if the
        sweep is over: then it removes nothing.
        """
        found = self._logs.read(sweep_id)
        if not found or found[0].page not in {page, page + 1}:
            log.info("sweep.stray id=%s page=%d", sweep_id, page)
            return
        sweep, read = found
        if sweep.page == page + 1:
            self._go_on_after(page, sweep)
            return
        if sweep.status != sweep_log.RUNNING:
            return
        stretch = Stretch(sweep, self._clock())
        if sweep.next.startswith(sweep_log.STATES):
            self._process_state_pages(stretch)
        else:
            self._process_user_pages(stretch)
        self._finish_stretch(stretch, after=read)

    def _process_user_pages(self, stretch: Stretch) -> None:
        while not stretch.sweep.next.startswith(sweep_log.STATES):
            try:
                self._process_user_page(stretch)
            except (TryLater, GiveUp) as error:
                if isinstance(error, TryLater) and stretch.pages:
                    # Save the pages done so far; the next run meets the error again.
                    return
                if not self._cannot_go_on(stretch, error):
                    raise
                # Users listed so far must not wait for those who cannot be listed.
                stretch.sweep = replace(
                    stretch.sweep, broken=str(error), next=sweep_log.STATES, links=0
                )
            if stretch.is_over(self._clock(), self._pages_a_run):
                return

    def _cannot_go_on(self, stretch: Stretch, error: TryLater | GiveUp) -> bool:
        """Whether Graph's list can be followed no further, though it has returned some users."""
        ends = isinstance(error, GiveUp) or self._is_quiet(stretch.sweep, _LONGEST_UNANSWERED)
        return ends and bool(stretch.found or stretch.sweep.parts)

    def _process_user_page(self, stretch: Stretch) -> None:
        """Process one page of users."""
        sweep = stretch.sweep
        users = self._list_page(sweep)
        result = self._pages.check(users.users)
        self._raise_common_error(sweep, result)
        unanswered.record(self._states, result.unanswered, self._clock)
        stretch.record_queued(self._turns.queue(sweep, result.queue), of=len(result.queue))
        stretch.found.add(result.found)
        stretch.gone += result.gone
        stretch.users += result.users
        # Not earlier: the users on this page were listed, whatever follows.
        sweep.must_end_with(users.next)
        stretch.sweep = self._after(sweep, result, users.next or sweep_log.STATES)
        stretch.pages += 1
        # If Graph throttled some users of this page, it would throttle all of the next.
        asked = max((each.error.retry_after or 0.0 for each in result.unanswered), default=0.0)
        stretch.pause = min(asked, _LONGEST_PAUSE)

    def _process_state_pages(self, stretch: Stretch) -> None:
        snapshot = self._parts.read(stretch.sweep.parts)
        while not stretch.is_over(self._clock(), self._pages_a_run):
            try:
                stretch.sweep = self._after_states(stretch, snapshot)
            except TryLater:
                if not stretch.pages:
                    raise
                return
            stretch.pages += 1

    def _after_states(self, stretch: Stretch, snapshot: Snapshot) -> SweepLog:
        """Queue the users of one page of states, and return the sweep after it."""
        sweep = stretch.sweep
        progress = Progress(
            sweep.listed_to, sweep.asked_to, sweep.to_ask, since=moments.read(sweep.started_at)
        )
        found = self._state_pages.check(
            sweep.next.removeprefix(sweep_log.STATES), progress, snapshot
        )
        following = f"{sweep_log.STATES}{found.next}" if found.next else ""
        if not found.more:
            sweep.must_end_with(following)
        self._queue_moved(stretch, found)
        stretch.gone += found.compared.gone
        stretch.due += found.due
        counted = replace(
            sweep,
            left=sweep.left + len(found.due),
            asked=sweep.asked + found.asked,
            asked_to=found.asked_to,
            listed_to=found.listed_to,
        )
        if found.more:
            # The same page has users left.
            return replace(self._after(counted, _result(found), sweep.next), links=sweep.links)
        if not following and counted.to_ask:
            # The rotation has reached the last user: the next sweep begins again with the first.
            counted = replace(counted, asked_to="")
        return self._after(counted, _result(found), following)

    def _queue_moved(self, stretch: Stretch, found: StatePage) -> None:
        """Queue the users whose state or photo no longer matches what Graph said."""
        out = {user_id for user_id, why in found.moved if why == OutOfScope.code}
        look = dict(found.moved) | dict(found.compared.queue)
        queue = [(user_id, why) for user_id, why in look.items() if user_id not in out]
        stretch.record_queued(self._turns.queue(stretch.sweep, queue), of=len(look))
        # For a user whose photo was copied, only a replay checks more than the photo's etag.
        self._users.queue(sorted(out), reason="replay")

    def _finish_stretch(self, stretch: Stretch, *, after: Document) -> None:
        """Record that the stretch is done and queue the next, unless another run has done so."""
        sweep = self._log_after(stretch)
        try:
            self._logs.write(sweep, after=after)
        except Conflict:
            log.info("sweep.duplicate id=%s page=%d", sweep.id, sweep.page - 1)
            return
        metrics.sweep_users.add(stretch.users)
        metrics.sweep_progress.set(sweep.progress())
        self._report(sweep)
        self._go_on(sweep, delay_seconds=stretch.pause)
        if sweep.status != sweep_log.RUNNING:
            self._drop_parts(sweep)

    def _drop_parts(self, ended: SweepLog) -> None:
        """Delete the parts; any that remain are deleted with the sweep's other blobs."""
        try:
            self._parts.drop(ended.parts)
        except (TryLater, GiveUp) as error:
            log.warning('sweep.parts_left id=%s why="%s"', ended.id, loggable(str(error)))

    def _log_after(self, stretch: Stretch) -> SweepLog:
        """The sweep after a stretch, with the names of the blobs stored for it."""
        sweep = stretch.sweep
        keep = self._logs.keep_gone
        lists = keep(sweep.id, sweep.page, stretch.gone)
        lists += keep(sweep.id, sweep.page, stretch.due, what=sweep_log.LEFT)
        self._turns.keep(sweep, stretch.waiting)
        part = stretch.found
        parts = [self._parts.keep(sweep.id, part.to_bytes())] if part else []
        return replace(
            sweep,
            updated_at=self._clock().isoformat(),
            page=sweep.page + 1,
            parts=[*sweep.parts, *parts],
            lists=[*sweep.lists, *lists],
            turns=sweep.turns + len(stretch.waiting),
            stalls=0,
        )

    def _list_page(self, sweep: SweepLog) -> UserPage:
        """The users of the next page; the log names the entries that cannot be read."""
        found = self._listing.page(sweep.next)
        for why in found.set_aside:
            log.warning(
                'sweep.user_set_aside id=%s page=%d why="%s"', sweep.id, sweep.page, loggable(why)
            )
        return found

    def _raise_common_error(self, sweep: SweepLog, result: PageResult) -> None:
        """Raise the most common error of the page if nearly all its users failed."""
        # Not Refused: Graph may introduce a new code for "no photo", which is right for most users.
        errors = [each for each in result.errors if isinstance(each, TryLater | AccessDenied)]
        if not sweep_rules.is_common_failure(
            len(errors),
            result.in_scope,
            failed_before=sweep.failed,
            asked_before=sweep.in_scope,
        ):
            return
        kinds = Counter(type(each) for each in errors)
        raise max(errors, key=lambda each: (kinds[type(each)], isinstance(each, TryLater)))

    def fail(self, sweep_id: str, why: str) -> None:
        """Record that a sweep cannot go on, and why; the next one starts from the beginning."""
        found = self._logs.read(sweep_id)
        if found and found[0].status == sweep_log.RUNNING:
            now = self._clock().isoformat()
            ended = replace(found[0], status=sweep_log.FAILED, detail=why, finished_at=now)
            self._logs.write(ended, after=found[1])
            log.error('sweep.failed id=%s why="%s"', sweep_id, loggable(why))
            self._drop_parts(ended)

    def _begin(self, pointer: Document | None, last: SweepLog | None) -> str:
        now = self._clock()
        sweep = SweepLog(
            id=f"{now:%Y%m%dT%H%M%S}-{self._new_id()[:8]}",
            started_at=now.isoformat(),
            updated_at=now.isoformat(),
            previous=last.id if last else "",
            expected_users=(last.users or last.expected_users) if last else 0,
            asked_to=last.asked_to if last else "",
        )
        try:
            self._logs.begin(sweep, pointer)
        except ServiceDown:
            # The write may have succeeded: then only this run can send its first message.
            newest, _ = self._logs.latest()
            if not newest or newest.id != sweep.id:
                raise
        log.info("sweep.started id=%s", sweep.id)
        self._go_on(sweep)
        return sweep.id

    def _revived(self, sweep: SweepLog) -> bool:
        """Queue a lost page again; False if that was already tried STALLS times."""
        found = self._logs.read(sweep.id)
        if not found or sweep.stalls >= STALLS:
            self.fail(sweep.id, f"Page {sweep.page} was lost {STALLS} times.")
            return False
        # Leave updated_at alone: only completed work counts as progress.
        self._logs.write(replace(found[0], stalls=found[0].stalls + 1), after=found[1])
        self._go_on(found[0])
        log.warning("sweep.revived id=%s page=%d", sweep.id, sweep.page)
        return True

    def _is_quiet(self, sweep: SweepLog, how_long: timedelta) -> bool:
        # A time in the future cannot be when work was done.
        return abs(self._clock() - moments.read(sweep.updated_at)) > how_long

    def _after(self, sweep: SweepLog, result: PageResult, following: str) -> SweepLog:
        now = self._clock().isoformat()
        changed = Counter(sweep.changed) + Counter(why for _, why in result.queue)
        after = replace(
            sweep,
            next=following,
            links=sweep.links + 1,
            mark=sweep.marked(following),
            users=sweep.users + result.users,
            in_scope=sweep.in_scope + result.in_scope,
            failed=sweep.failed + len(result.errors),
            managed=sweep.managed + result.managed,
            gone=sweep.gone + len(result.gone),
            changed=dict(sorted(changed.items())),
        )
        return after if following else after.finished(now)

    def _go_on_after(self, page: int, sweep: SweepLog) -> None:
        """*page* is already done: queue the next, unless the run that did it may still do so."""
        if self._is_over(sweep):
            return
        if not self._is_quiet(sweep, _DEAD_AFTER):
            raise Conflict(
                f"The run that finished page {page} may still be queueing the next one.",
                retry_after=_DEAD_AFTER.total_seconds(),
            )
        self._go_on(sweep)

    def _is_over(self, sweep: SweepLog) -> bool:
        return sweep.status != sweep_log.RUNNING and not sweep.is_due

    def _go_on(self, sweep: SweepLog, *, delay_seconds: float = 0.0) -> None:
        """Queue the next message, if there is one; safe to repeat."""
        if sweep.status == sweep_log.RUNNING:
            message = UpkeepMessage(SWEEP_PAGE, sweep_id=sweep.id, page=sweep.page)
        elif sweep.is_due:
            message = UpkeepMessage(REMOVALS, sweep_id=sweep.id)
        else:
            return
        self._upkeep.send(message.to_json(), delay_seconds=delay_seconds)

    def _report(self, sweep: SweepLog) -> None:
        if sweep.status == sweep_log.RUNNING:
            return
        if sweep.broken:
            log.error('sweep.failed id=%s why="%s"', sweep.id, loggable(sweep.broken))
            return
        log.info(
            "sweep.finished id=%s users=%d inScope=%d failed=%d changed=%d managed=%d gone=%d "
            "removals=%s left=%d forgetting=%s",
            sweep.id,
            sweep.users,
            sweep.in_scope,
            sweep.failed,
            sum(sweep.changed.values()),
            sweep.managed,
            sweep.gone,
            sweep.removals,
            sweep.left,
            sweep.forgetting,
        )
        if sweep.held_back():
            log.error('sweep.braked id=%s why="%s"', sweep.id, sweep.detail)


def _result(found: StatePage) -> PageResult:
    """The result of a page of states, in the form of a page of users."""
    return replace(found.compared, queue=[*found.compared.queue, *found.moved])
