"""
The guarantee: looks at every user's photo and sends to the worker whoever is not right.

Graph promises no notification for a photo-only change and drops notifications when an endpoint is
slow (graph.md sections 1 and 3). A sweep is a chain of messages; each run works off a stretch:

    users    list users, page by page, and ask for the etags of their photos; write into the states
             of those about whom Graph gave no answer; keep what it said of the others as one part
             of the snapshot
    states   list states, page by page, and compare them with all parts; read the state of who
             differs, and queue whoever the worker should look at; ask Graph about some who are
             remembered, and queue those who have left or are out of scope
    write sweeps/<id>.json over the stretch    conditional; lost -> somebody did this stretch
    queue the next

The source first, the state second, as in `copying.sync`: states are listed after Graph was asked
about everybody, so that a state which says that SharePoint shows the etag found was written before
or after that look, but never since the listing. Whatever has changed meanwhile makes the two
differ, or is a change of Exchange after our look, which has a notification and the next sweep of
its own. Listed the other way round, who changes a photo and back while a sweep is at work would
pass for unchanged although the worker has copied what was between. What the snapshot says only
sends somebody to the worker, who looks again at the photo first; and a picture of which this sweep
is the second look is taken back only there.

It may die anywhere. Before the write, the stretch is done again: a user queued twice costs two
calls. What two runs over one stretch write beside the log goes by its content, and the log says
which of it counts. Between the write and the queueing, the message comes back, waits until the
sweep has been quiet for a while, and queues the next again. A message delivered twice loses the
write or finds, at the latest after that wait, that the sweep has moved on, and starts no second
chain. One that is lost altogether is found by the next `start`. A sweep of a version that knew no
snapshot goes on where it is: its users were compared page by page.
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
from shared.messages.sync_message import REMOVAL
from shared.messages.upkeep_message import REMOVALS, SWEEP_PAGE, UpkeepMessage
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Document
from shared.storage.user_state import Store
from shared.sweeping import sweep_log, sweep_rules, unanswered
from shared.sweeping.snapshot import Snapshot, SnapshotParts
from shared.sweeping.state_page import StatePage, Way
from shared.sweeping.stretch import LONGEST_RUN, PAGES_A_RUN, Stretch
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.sweeping.sweep_page import PageResult
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.telemetry import metrics
from shared.telemetry.log_text import loggable
from shared.user import User

log = logging.getLogger("photosync")

# A chain that was quiet for this long has lost its message.
QUIET = timedelta(minutes=15)
# A run that is at work is quiet for as long as a stretch takes, its last page included: whoever
# queued the next sooner would run beside it, over every stretch that follows.
_DEATH = LONGEST_RUN + timedelta(minutes=2)
STALLS = 3
# How often a sweep may begin for what Graph says was missed, at most: each lists all users.
APART = timedelta(minutes=10)
# For so long a page may go unanswered before those who are listed stop waiting for it.
_PATIENCE = timedelta(hours=1)
# Well below QUIET: a sweep that pauses is not one that has lost its message.
_LONGEST_PAUSE = 300.0


class Listing(Protocol):
    """See UserListing."""

    def page(self, path: str = "") -> UserPage: ...


class Pages(Protocol):
    """See PageLook."""

    def look_at(self, users: Sequence[User]) -> PageResult: ...


class States(Protocol):
    """See StateLook."""

    def look_at(self, token: str, way: Way, snapshot: Snapshot) -> StatePage: ...


class Sweep:
    """Starts sweeps, works off their pages, and releases their removals."""

    def __init__(
        self,
        listing: Listing,
        pages: Pages,
        remembered: States,
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
        self._remembered = remembered
        self._logs = logs
        self._parts = parts
        self._users = users
        self._turns = turns
        self._upkeep = upkeep
        self._states = states
        self._clock = clock
        self._new_id = new_id
        self._pages_a_run = pages_a_run

    def start(self) -> str:
        """
        Begin a sweep, unless one is running: then it goes on, and this one is skipped. Its id.

        Raises Conflict when another run began one at this moment, ServiceDown.
        """
        running, pointer = self._logs.latest()
        if running and running.status == sweep_log.RUNNING:
            if not self._is_quiet(running, QUIET):
                log.info("sweep.skipped running=%s page=%d", running.id, running.page)
                return running.id
            if self._revived(running):
                return running.id
        return self._begin(pointer, running)

    def make_up_for(self, moment: datetime) -> None:
        """
        Begin a sweep for what was missed before *moment*, unless one has begun since.

        Raises what `start` does, and Conflict if one began a little before: then this one waits.
        """
        newest, _ = self._logs.latest()
        if newest:
            began, now = moments.read(newest.started_at), self._clock()
            if moment <= began <= now and newest.status != sweep_log.FAILED:
                log.info("sweep.covered by=%s", newest.id)
                return
            if now - APART < began <= now:
                left = (began + APART - now).total_seconds()
                raise Conflict("A sweep began a moment ago.", retry_after=left)
        self.start()

    def work_off(self, sweep_id: str, page: int) -> None:
        """
        Work off a stretch of a sweep, and queue the next.

        Raises TryLater for one to be tried again, GiveUp when the sweep is over, EndlessList
        among them: its removals stay undone.
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
            self._go_through_states(stretch)
        else:
            self._go_through_users(stretch)
        self._turn(stretch, after=read)

    def _go_through_users(self, stretch: Stretch) -> None:
        while not stretch.sweep.next.startswith(sweep_log.STATES):
            try:
                self._go_on_after_users(stretch)
            except (TryLater, GiveUp) as error:
                if isinstance(error, TryLater) and stretch.pages:
                    # What is behind us is written down, and the next run meets it again.
                    return
                if not self._is_hopeless(stretch, error):
                    raise
                # Whoever was listed before is not to wait for what cannot be listed.
                stretch.sweep = replace(
                    stretch.sweep, broken=str(error), next=sweep_log.STATES, links=0
                )
            if stretch.is_over(self._clock(), self._pages_a_run):
                return

    def _is_hopeless(self, stretch: Stretch, error: TryLater | GiveUp) -> bool:
        """Whether Graph's list leads no further, though it has named some."""
        ends = isinstance(error, GiveUp) or self._is_quiet(stretch.sweep, _PATIENCE)
        return ends and bool(stretch.found or stretch.sweep.parts)

    def _go_on_after_users(self, stretch: Stretch) -> None:
        """Go over a page of users."""
        sweep = stretch.sweep
        users = self._listed(sweep)
        result = self._pages.look_at(users.users)
        self._judge(sweep, result)
        unanswered.record(self._states, result.unanswered, self._clock)
        stretch.give_turns(self._turns.queue(sweep, result.queue), of=len(result.queue))
        stretch.found.add(result.found)
        stretch.gone += result.gone
        stretch.users += result.users
        # Not before: who is on this page was listed, whatever comes next.
        sweep.must_end_with(users.next)
        stretch.sweep = self._after(sweep, result, users.next or sweep_log.STATES)
        stretch.pages += 1
        # Whoever throttles some of a page would throttle all of the next one.
        asked = max((each.error.retry_after or 0.0 for each in result.unanswered), default=0.0)
        stretch.pause = min(asked, _LONGEST_PAUSE)

    def _go_through_states(self, stretch: Stretch) -> None:
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
        """The sweep after a page of states, whose people are queued."""
        sweep = stretch.sweep
        way = Way(
            sweep.listed_to, sweep.asked_to, sweep.to_ask, since=moments.read(sweep.started_at)
        )
        found = self._remembered.look_at(sweep.next.removeprefix(sweep_log.STATES), way, snapshot)
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
            # Of the same page others are left.
            return replace(self._after(counted, _result(found), sweep.next), links=sweep.links)
        if not following and counted.to_ask:
            # Everybody up to the last one has had a turn: the next sweep begins with the first.
            counted = replace(counted, asked_to="")
        return self._after(counted, _result(found), following)

    def _queue_moved(self, stretch: Stretch, found: StatePage) -> None:
        """Send to the worker whom the state, or the photo, says something else of."""
        out = {user_id for user_id, why in found.moved if why == OutOfScope.code}
        look = dict(found.moved) | dict(found.compared.queue)
        queue = [(user_id, why) for user_id, why in look.items() if user_id not in out]
        stretch.give_turns(self._turns.queue(stretch.sweep, queue), of=len(look))
        # Of somebody whose photo was copied only a replay looks further than at the photo's etag.
        self._users.queue(sorted(out), reason="replay")

    def _turn(self, stretch: Stretch, *, after: Document) -> None:
        """Write down that a stretch is done, and queue the next, unless another run did it."""
        turned = self._turned(stretch)
        try:
            self._logs.write(turned, after=after)
        except Conflict:
            log.info("sweep.duplicate id=%s page=%d", turned.id, turned.page - 1)
            return
        metrics.sweep_users.add(stretch.users)
        metrics.sweep_progress.set(turned.progress())
        self._report(turned)
        self._go_on(turned, delay_seconds=stretch.pause)
        if turned.status != sweep_log.RUNNING:
            self._drop_parts(turned)

    def _drop_parts(self, ended: SweepLog) -> None:
        """Delete what nobody needs any more; what stays there goes with the sweep's other blobs."""
        try:
            self._parts.drop(ended.parts)
        except (TryLater, GiveUp) as error:
            log.warning('sweep.parts_left id=%s why="%s"', ended.id, loggable(str(error)))

    def _turned(self, stretch: Stretch) -> SweepLog:
        """The sweep after a stretch, with the names of what is kept of it."""
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

    def _listed(self, sweep: SweepLog) -> UserPage:
        """The users of the page that is due; those who cannot be read are named in the log."""
        found = self._listing.page(sweep.next)
        for why in found.set_aside:
            log.warning(
                'sweep.user_set_aside id=%s page=%d why="%s"', sweep.id, sweep.page, loggable(why)
            )
        return found

    def _judge(self, sweep: SweepLog, result: PageResult) -> None:
        """Raise the commonest error of the page's users if it is everybody's."""
        # Not Refused: a new code for "no photo" would be such an answer, and right for most.
        errors = [each for each in result.errors if isinstance(each, TryLater | AccessDenied)]
        if not sweep_rules.is_everybodys(
            len(errors),
            result.in_scope,
            failed_before=sweep.failed,
            asked_before=sweep.in_scope,
        ):
            return
        kinds = Counter(type(each) for each in errors)
        raise max(errors, key=lambda each: (kinds[type(each)], isinstance(each, TryLater)))

    def fail(self, sweep_id: str, why: str) -> None:
        """Record that a sweep cannot go on, and why; the next one starts anew."""
        found = self._logs.read(sweep_id)
        if found and found[0].status == sweep_log.RUNNING:
            now = self._clock().isoformat()
            ended = replace(found[0], status=sweep_log.FAILED, detail=why, finished_at=now)
            self._logs.write(ended, after=found[1])
            log.error('sweep.failed id=%s why="%s"', sweep_id, loggable(why))
            self._drop_parts(ended)

    def release_removals(self) -> int:
        """Let the removals go ahead that the brake holds back; how many there are."""
        found = self._logs.held_back()
        if not found:
            return 0
        sweep, read = found
        released = sweep.released(f"{self._clock():%Y-%m-%d %H:%M} UTC")
        self._logs.write(released, after=read)
        self._upkeep.send(UpkeepMessage(REMOVALS, sweep_id=sweep.id).to_json(), delay_seconds=0)
        log.warning("sweep.released id=%s removals=%d", sweep.id, sweep.held_back())
        return sweep.held_back()

    def queue_removals(self, sweep_id: str) -> None:
        """
        Send everybody whose photo is gone, or who has left, to the worker, who looks once more and
        removes.
        """
        found = self._logs.read(sweep_id)
        if not found or not found[0].is_due:
            return
        sweep, read = found
        kinds = {sweep_log.GONE: sweep.removals, sweep_log.LEFT: sweep.forgetting}
        due = [what for what, becomes in kinds.items() if becomes == sweep_log.DUE]
        for what in due:
            for people in self._logs.gone(sweep, what=what):
                self._users.queue(people, reason=REMOVAL, sweep_id=sweep_id)
        self._logs.write(sweep.all_queued(), after=read)

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
            # It may have begun all the same: then nobody but us sends its first message.
            newest, _ = self._logs.latest()
            if not newest or newest.id != sweep.id:
                raise
        log.info("sweep.started id=%s", sweep.id)
        self._go_on(sweep)
        return sweep.id

    def _revived(self, sweep: SweepLog) -> bool:
        """Queue a lost page again; False when that has been tried often enough."""
        found = self._logs.read(sweep.id)
        if not found or sweep.stalls >= STALLS:
            if found:
                self.fail(sweep.id, f"Page {sweep.page} was lost {STALLS} times.")
            return False
        # Not updated_at: only work done makes a sweep look alive.
        self._logs.write(replace(found[0], stalls=found[0].stalls + 1), after=found[1])
        self._go_on(found[0])
        log.warning("sweep.revived id=%s page=%d", sweep.id, sweep.page)
        return True

    def _is_quiet(self, sweep: SweepLog, how_long: timedelta) -> bool:
        # A time to come is none at which work was done.
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
        """Somebody did *page*: queue the next, unless whoever did it may be doing so."""
        if self._is_over(sweep):
            return
        if not self._is_quiet(sweep, _DEATH):
            raise Conflict(
                f"Page {page} was done by a run that may be queueing the next.",
                retry_after=_DEATH.total_seconds(),
            )
        self._go_on(sweep)

    def _is_over(self, sweep: SweepLog) -> bool:
        return sweep.status != sweep_log.RUNNING and not sweep.is_due

    def _go_on(self, sweep: SweepLog, *, delay_seconds: float = 0.0) -> None:
        """Queue whatever comes next, however often this is asked."""
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
    """What a page of states counts for, as one of users does."""
    return replace(found.compared, queue=[*found.compared.queue, *found.moved])
