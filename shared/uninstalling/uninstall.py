"""
Uninstalls PhotoSync: removes the subscription, the states, and the pictures if that was ordered.

A chain of messages, one per piece of work, like a sweep:

    page 1     delete the subscription, empty queue photo-sync
    a round    list the states, page by page. Users whose picture must go are sent to the worker,
               which then forgets them; all others are forgotten here
    between    wait until the queue is empty, and every run that began before the order is over
    the end    a later round than the first that finds no unfinished user

Each page replaces the uninstall.json of the page before (conditional; lost -> another run did this
page), then queues the next. A run may die at any point: a repeated page forgets the users who are
left, and a user queued twice is forgotten once. Every deletion names the version that was read: the
state of a user whom a run is copying stays, and the next round comes back.

A process obeys the order after CHECKED_EVERY at the latest (`halt`), and what it began before may
still write a new state, picture or subscription. So only the first round begins before GRACE is
over, and the subscription is looked up once more at the end.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared import moments
from shared.backoff import LONGEST_WAIT
from shared.errors import BadRequest, Conflict, EndlessList, GiveUp
from shared.messages.sync_message import UNINSTALL
from shared.messages.upkeep_message import RENEW, SWEEP, UpkeepMessage
from shared.messages.upkeep_message import UNINSTALL as UNINSTALL_PAGE
from shared.signature import APP, Signature
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Document
from shared.storage.roster_entry import Leaf
from shared.storage.user_state import NOT_TAKEN_BACK, Stored
from shared.sweeping.user_queue import UserQueue
from shared.telemetry.log_text import loggable
from shared.uninstalling.halt import Halt
from shared.uninstalling.uninstall_log import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    UninstallLog,
    UninstallLogs,
)

log = logging.getLogger("photosync")

# CHECKED_EVERY, and longer than a run takes from its check of the order to its claim. A run that
# has claimed has written a state, which is found.
GRACE = timedelta(minutes=5)
USERS_A_PAGE = 200
STATES_AT_ONCE = 8
MOST_ROUNDS = 10
# At most this many of the users who could not be handled are named.
MOST_PROBLEMS = 100
# A message is given up after LONGEST_WAIT; the count of a queue may be too high (functions.md).
LONGEST_ROUND = LONGEST_WAIT + timedelta(hours=2)
# Seconds between two checks of the queue, and before a round returns to a claimed user.
PAUSE = 15.0
# This many pauses take GRACE. Storage times them, so a wrong clock of ours cannot cut them short.
RESTS = int(GRACE.total_seconds() / PAUSE)
# Ten rounds over a million users, and all the pauses; anything longer is not a list of states.
MOST_PAGES = 200_000
# How long the host hides the message of a run that died; a duplicate comes sooner.
_DEAD_AFTER = timedelta(minutes=2)


class Subscription(Protocol):
    """See SubscriptionKeeper."""

    def end(self) -> None: ...


class States(Protocol):
    """See BlobStore."""

    def read(self, user_id: str) -> Stored | None: ...
    def delete(self, user_id: str, *, version: str) -> None: ...
    def leaf(self, token: str, size: int) -> Leaf: ...


class Waiting(Protocol):
    """Queue `photo-sync`, as a whole."""

    def clear(self) -> None: ...
    def length(self) -> int: ...


@dataclass
class _Found:
    """The result of one page of states."""

    to_worker: list[str] = field(default_factory=list)
    busy: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)


class Uninstall:
    """Accepts orders, carries them out page by page, and cancels them. Threads may share it."""

    def __init__(
        self,
        logs: UninstallLogs,
        halt: Halt,
        subscription: Subscription,
        states: States,
        users: UserQueue,
        waiting: Waiting,
        upkeep: DelayedQueue,
        *,
        dry_run: bool,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._logs = logs
        self._halt = halt
        self._subscription = subscription
        self._states = states
        self._users = users
        self._waiting = waiting
        self._upkeep = upkeep
        self._dry_run = dry_run
        self._clock = clock
        self._new_id = new_id
        self._pool = ThreadPoolExecutor(STATES_AT_ONCE, thread_name_prefix="forget")

    def latest(self) -> UninstallLog | None:
        """The latest order."""
        return self._logs.read().log

    def is_on(self) -> bool:
        """Whether PhotoSync is halted; see Halt."""
        return self._halt.is_on()

    def must_be_off(self) -> None:
        """Raise BadRequest if PhotoSync is halted: an order given now would not be carried out."""
        if self._halt.is_on():
            raise BadRequest(
                "PhotoSync is being uninstalled: run manage.py uninstall --cancel first."
            )

    def order(self, *, remove_pictures: bool, expected: int) -> UninstallLog:
        """
        Uninstall PhotoSync, for about *expected* users. A running uninstall goes on.

        Raises Conflict, and BadRequest for what contradicts the running uninstall or the settings.
        """
        running, read = self._logs.read()
        if running is None or running.status != RUNNING:
            if remove_pictures and self._dry_run:
                raise BadRequest(
                    "DRY_RUN is on, so no picture can be removed from SharePoint: set it to false, "
                    "or keep the pictures."
                )
            running = self._begun(read, remove_pictures, expected)
        elif running.remove_pictures != remove_pictures:
            raise BadRequest(
                f"An uninstall that {_about_pictures(running)} is running. Let it finish, or "
                "cancel it before you order another."
            )
        # A surplus message ends when it finds its page already done.
        self._go_on(running)
        return running

    def _begun(self, read: Document | None, remove_pictures: bool, expected: int) -> UninstallLog:
        now = self._clock()
        begun = UninstallLog(
            id=f"{now:%Y%m%dT%H%M%S}-{self._new_id()[:8]}",
            remove_pictures=remove_pictures,
            started_at=now.isoformat(),
            updated_at=now.isoformat(),
            round_ended_at=now.isoformat(),
            expected=expected,
            left=expected,
        )
        self._logs.write(begun, after=read)
        self._halt.forget_no()
        log.warning("uninstall.ordered id=%s pictures=%s", begun.id, _about_pictures(begun))
        return begun

    def cancel(self) -> bool:
        """
        Cancel the order and have everything rebuilt; False if there is none. Raises Conflict.

        What is gone is not restored here: a subscription is created, and a sweep checks everyone.
        """
        ordered, read = self._logs.read()
        if ordered is None or not ordered.halts:
            return False
        now = self._clock().isoformat()
        self._logs.write(replace(ordered, status=CANCELLED, finished_at=now), after=read)
        self._order_rebuild()
        log.warning("uninstall.cancelled id=%s", ordered.id)
        return True

    def _order_rebuild(self) -> None:
        for kind in (RENEW, SWEEP):
            message = UpkeepMessage(kind, by=Signature(APP))
            self._upkeep.send(message.to_json(), delay_seconds=0)

    def go_on(self) -> None:
        """Queue the current page again, in case its message was lost; a no-op without an order."""
        running = self._logs.read().log
        if running is not None and running.status == RUNNING:
            self._go_on(running)

    def process(self, uninstall_id: str, page: int) -> None:
        """
        Do one piece of work, and queue the next. Raises TryLater, and GiveUp if it cannot go on.
        """
        ordered, read = self._logs.read()
        if ordered is None or (ordered.id, ordered.status) != (uninstall_id, RUNNING):
            log.info("uninstall.stray id=%s page=%d", uninstall_id, page)
            return
        if ordered.page == page + 1:
            self._go_on_after(page, ordered)
        if ordered.page != page:
            return
        after, delay = self._do_next(ordered)
        after = replace(after, page=page + 1, updated_at=self._clock().isoformat())
        try:
            self._logs.write(after, after=read)
        except Conflict:
            log.info("uninstall.duplicate id=%s page=%d", uninstall_id, page)
            if not self._halt.is_on():
                # Cancelled in the meantime: rebuild what this page has deleted since.
                self._order_rebuild()
            return
        if after.status == RUNNING:
            self._go_on(after, delay_seconds=delay)
        else:
            _report(after)

    def fail(self, uninstall_id: str, why: str) -> None:
        """Record that an uninstall cannot go on, and why; PhotoSync stays halted."""
        ordered, read = self._logs.read()
        if ordered is None or (ordered.id, ordered.status) != (uninstall_id, RUNNING):
            return
        now = self._clock().isoformat()
        failed = replace(ordered, status=FAILED, detail=why, finished_at=now)
        self._logs.write(failed, after=read)
        log.error('uninstall.failed id=%s why="%s"', uninstall_id, loggable(why))

    def _do_next(self, ordered: UninstallLog) -> tuple[UninstallLog, float]:
        """The order after its next piece of work, and the delay in seconds before the one after."""
        if ordered.page == 1:
            refusal = self._end_subscription()
            # Only for speed: messages that come later end without a check.
            self._waiting.clear()
            return replace(ordered, subscription=refusal), 0.0
        if ordered.round > 1 and not ordered.next and not ordered.listed:
            messages = self._waiting.length()
            if self._must_wait(ordered, messages):
                return replace(ordered, left=messages, rests=ordered.rests + 1), PAUSE
        return self._process_states(ordered)

    def _end_subscription(self) -> str:
        """Delete the subscription; return why that was refused, or empty. Raises TryLater."""
        try:
            self._subscription.end()
        except GiveUp as error:
            # It expires within a month; the rest must not wait for that.
            return str(error)
        return ""

    def _must_wait(self, ordered: UninstallLog, messages: int) -> bool:
        now = self._clock()
        if ordered.rests < RESTS or abs(now - moments.read(ordered.started_at)) < GRACE:
            return True
        return messages > 0 and abs(now - moments.read(ordered.round_ended_at)) < LONGEST_ROUND

    def _process_states(self, ordered: UninstallLog) -> tuple[UninstallLog, float]:
        if ordered.page >= MOST_PAGES:
            raise EndlessList("The list of states does not end: check the storage account.")
        leaf = self._states.leaf(ordered.next, USERS_A_PAGE)
        found = self._forget([each.user_id for each in leaf.entries], ordered)
        self._users.queue(found.to_worker, reason=UNINSTALL, uninstall_id=ordered.id)
        listed = ordered.listed + len(leaf.entries)
        open_ = ordered.open + found.busy + len(found.to_worker)
        troubled = ordered.troubled + len(found.problems)
        after = replace(
            ordered,
            next=leaf.next,
            listed=listed,
            open=open_,
            troubled=troubled,
            problems=[*ordered.problems, *found.problems][:MOST_PROBLEMS],
            expected=max(ordered.expected, listed),
            left=(max(0, ordered.expected - listed) if ordered.round == 1 else 0)
            + open_
            + troubled,
        )
        return (after, 0.0) if leaf.next else self._ended_round(after)

    def _ended_round(self, ordered: UninstallLog) -> tuple[UninstallLog, float]:
        now = self._clock().isoformat()
        if ordered.round > 1 and (not ordered.open or ordered.round >= MOST_ROUNDS):
            ended = replace(ordered, status=DONE, left=ordered.open + ordered.troubled)
            if ordered.open:
                detail = f"Whenever PhotoSync checked, {ordered.open} users were being copied."
                ended = replace(ended, detail=detail)
            refusal = self._end_subscription()
            return replace(ended, subscription=refusal, finished_at=now), 0.0
        following = replace(
            ordered, round=ordered.round + 1, round_ended_at=now, listed=0, open=0, troubled=0
        )
        return replace(following, problems=[]), PAUSE

    def _forget(self, user_ids: Sequence[str], ordered: UninstallLog) -> _Found:
        """Forget each user of a page who can be forgotten; return the others by what they need."""
        found = _Found()
        read = self._pool.map(lambda user_id: self._forget_user(user_id, ordered), user_ids)
        for user_id, left in zip(user_ids, read, strict=True):
            if isinstance(left, dict):
                found.problems.append(left)
            elif left == "picture":
                found.to_worker.append(user_id)
            elif left == "busy":
                found.busy += 1
        return found

    def _forget_user(self, user_id: str, ordered: UninstallLog) -> str | dict[str, str]:
        """Forget a user unless something prevents it; return the result, or the problem."""
        stored = self._states.read(user_id)
        if stored is None:
            return "gone"
        state = stored.state
        if state.claimed_for:
            return "busy"
        if ordered.remove_pictures and state.picture_url:
            # When a round begins, every message of the previous one has ended.
            if ordered.round > 1 and state.reason == NOT_TAKEN_BACK:
                return {
                    "userId": user_id,
                    "userPrincipalName": state.user_principal_name,
                    "detail": state.detail,
                }
            return "picture"
        try:
            self._states.delete(user_id, version=stored.version)
        except Conflict:
            return "busy"
        return "gone"

    def _go_on_after(self, page: int, ordered: UninstallLog) -> None:
        """*page* is already done: queue the next, unless the run that did it may be doing so."""
        if abs(self._clock() - moments.read(ordered.updated_at)) <= _DEAD_AFTER:
            raise Conflict(
                f"The run that finished page {page} may still be queueing the next one.",
                retry_after=_DEAD_AFTER.total_seconds(),
            )
        self._go_on(ordered)

    def _go_on(self, ordered: UninstallLog, *, delay_seconds: float = 0.0) -> None:
        message = UpkeepMessage(UNINSTALL_PAGE, page=ordered.page, uninstall_id=ordered.id)
        self._upkeep.send(message.to_json(), delay_seconds=delay_seconds)


def _about_pictures(ordered: UninstallLog) -> str:
    return "removes the pictures" if ordered.remove_pictures else "keeps the pictures"


def _report(ended: UninstallLog) -> None:
    log.warning(
        "uninstall.finished id=%s left=%d subscription=%s",
        ended.id,
        ended.left,
        "left" if ended.subscription else "deleted",
    )
