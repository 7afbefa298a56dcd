"""
The other half of the guarantee: checks what SharePoint shows, and has it repaired.

A sweep asks Exchange and trusts the state about SharePoint; an audit asks SharePoint. It goes
through all users who have a state, a page of users per message:

    page n: list users, read states, check SharePoint, record in the states what differs, and queue
            the users to repair: the worker checks again under its claim, and copies
            write audits/<id>.json for page n     conditional; lost -> another run did this page
            queue page n + 1                      or rest until the timer finds it due

A run may die at any point: a repeated page finds the same. If the message of the next page is lost
with it, the timer queues that page again. An audit has a share of the tenant's profile budget. It
waits while that share is used up, or what changes leave of the budget.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared import moments
from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.auditing.checker import Finding
from shared.auditing.repairs import Repairs
from shared.errors import BadRequest, Conflict, PhotoSyncError, Throttled, TryLater
from shared.messages.upkeep_message import AUDIT_PAGE, UpkeepMessage
from shared.storage import user_state
from shared.storage.delayed_queue import DelayedQueue
from shared.storage.documents import Document
from shared.storage.roster_entry import Leaf
from shared.storage.user_state import Store, Stored
from shared.sweeping import sweep_rules
from shared.telemetry import metrics
from shared.telemetry.log_text import loggable

log = logging.getLogger("photosync")

LARGEST_PAGE = 100
# A page takes a minute at most. After this long its message is lost or waits for a service.
QUIET = timedelta(minutes=15)
# The timer cannot tell which, and queues the page again: the log reveals a duplicate.
STALLS = 3
# Try a page this many times while some of its users are throttled; then only those users fail.
_MOST_TRIES = 5
_LISTED_AT_ONCE = 5000
# 5,000,000 users.
_MOST_LISTS = 1000


class Listing(Protocol):
    """See BlobStore."""

    def leaf(self, token: str, size: int) -> Leaf: ...


class PictureChecker(Protocol):
    """See `checker.PictureChecker`."""

    def due(self, user_ids: Sequence[str]) -> list[Stored]: ...
    def check(self, due: Sequence[Stored]) -> list[Finding]: ...


@dataclass(frozen=True)
class Terms:
    """
    How audits run: everyone once in `days` (0: only when a person orders it), `size` users a page,
    and whether the timer's audits repair what they find; with `dry_run` nothing is repaired.

    `wait_for(n)` reserves n calls of the audits' share of the profile budget and returns 0, or
    returns the seconds until that many are available.
    """

    days: int
    repair: bool
    dry_run: bool
    size: int
    wait_for: Callable[[int], float]


class Audit:
    """Starts audits, and processes their pages."""

    def __init__(
        self,
        listing: Listing,
        checker: PictureChecker,
        logs: AuditLogs,
        repairs: Repairs,
        upkeep: DelayedQueue,
        states: Store,
        terms: Terms,
        *,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._listing = listing
        self._checker = checker
        self._logs = logs
        self.repairs = repairs
        self._upkeep = upkeep
        self._states = states
        self._terms = terms
        self._clock = clock
        self._new_id = new_id

    def wake(self) -> None:
        """
        Continue the audit whose next page is due, or begin the next one when its time has come.

        Raises ServiceDown, and Conflict if another run did so at the same moment.
        """
        newest, pointer = self._logs.latest()
        if newest and newest.is_running:
            if self._terms.days or newest.everybody:
                self._wake(newest)
            else:
                self.fail(newest.id, "AUDIT_DAYS is now 0.")
        elif self._terms.days and (newest is None or self._is_next_due(newest)):
            self._begin(pointer, newest, everybody=False, repair=self._repairs)

    def order(self, *, repair: bool) -> AuditLog:
        """
        Audit everyone now, or continue an audit that does so already; *repair* what it finds.

        Raises BadRequest for a repair while DRY_RUN is on, Conflict if another run began one at the
        same moment, ServiceDown.
        """
        if repair and self._terms.dry_run:
            raise BadRequest("DRY_RUN is on, so nothing can be repaired: audit without repair.")
        newest, pointer = self._logs.latest()
        if newest and newest.is_running:
            if newest.everybody and newest.repair == repair:
                self._wake(newest, again=True)
                return newest
            self.fail(newest.id, "An audit of all users replaced this one.")
        return self._begin(pointer, newest, everybody=True, repair=repair)

    def process(self, audit_id: str, page: int) -> None:
        """
        Process one page of an audit, and queue the next if it is due.

        Raises TryLater if the page must be tried again, GiveUp when the audit is over.
        """
        found = self._logs.read(audit_id)
        if not found or found[0].page != page or not found[0].is_running:
            log.info("audit.stray id=%s page=%d", audit_id, page)
            return
        audit, read = self._with_current_settings(found[0]), found[1]
        if not audit.expected_pages:
            # Not when it is ordered: this may take a minute.
            pages = math.ceil(self._count() / self._terms.size)
            audit = replace(audit, expected_pages=max(1, pages))
        leaf = self._listing.leaf(audit.next, self._terms.size)
        due = self._checker.due([entry.user_id for entry in leaf.entries])
        seconds = self._terms.wait_for(len(due)) if due else 0.0
        if seconds:
            self._postpone(audit, read, seconds)
            return
        findings = [self._recorded(each) for each in self._check_due(due, audit, read)]
        after = self._after(audit, findings, leaf.next)
        wanted = [each.user_id for each in findings if each.is_for_worker]
        self.repairs.order(after, page, wanted)
        audit.must_end_with(leaf.next)
        try:
            self._logs.write(after, after=read)
        except Conflict:
            if self._is_at(audit_id, page):
                # The page is not done: a person released the repairs, or the timer wrote the log.
                raise
            log.info("audit.duplicate id=%s page=%d", audit_id, page)
            return
        self._report(audit, after, findings)
        if after.is_running and not after.resting:
            self._queue_page(after)

    def _with_current_settings(self, audit: AuditLog) -> AuditLog:
        """A scheduled audit follows the current settings; an ordered one keeps its own."""
        return audit if audit.everybody else replace(audit, repair=self._repairs)

    def _is_at(self, audit_id: str, page: int) -> bool:
        found = self._logs.read(audit_id)
        return found is not None and found[0].is_running and found[0].page == page

    def fail(self, audit_id: str, why: str) -> None:
        """Record that an audit cannot go on, and why; the next one starts from the beginning."""
        found = self._logs.read(audit_id)
        if found and found[0].is_running:
            now = self._clock().isoformat()
            ended = replace(found[0], status=audit_log.FAILED, detail=why, finished_at=now)
            self._logs.write(ended, after=found[1])
            log.error('audit.failed id=%s why="%s"', audit_id, loggable(why))

    def _wake(self, audit: AuditLog, *, again: bool = False) -> None:
        """
        Queue the next page if it is due, or if its message was lost.

        *again*: an earlier attempt of this order may have begun the audit and died, or failed,
        before it queued the first page.
        """
        now = self._clock()
        waits = audit.waiting_until or audit.updated_at
        if audit.resting:
            # A time in the future cannot be when it began.
            if moments.read(audit.started_at) <= now < audit.due_at(self._terms.days):
                return
            audit = self._written(audit, resting=False, updated_at=now.isoformat())
        elif abs(now - moments.read(waits)) <= QUIET:
            if not (again and audit.is_untouched):
                return
        elif audit.stalls >= STALLS:
            self.fail(audit.id, f"Page {audit.page} was lost {STALLS} times.")
            return
        else:
            # Leave updated_at alone: only completed work counts as progress.
            audit = self._written(audit, stalls=audit.stalls + 1)
            log.warning("audit.revived id=%s page=%d", audit.id, audit.page)
        self._queue_page(audit)

    def _written(self, audit: AuditLog, **changes: object) -> AuditLog:
        found = self._logs.read(audit.id)
        if not found or found[0] != audit:
            raise Conflict("Another run has just processed a page of the audit.")
        changed = replace(audit, **changes)  # type: ignore[arg-type]
        self._logs.write(changed, after=found[1])
        return changed

    @property
    def _repairs(self) -> bool:
        return self._terms.repair and not self._terms.dry_run

    def _is_next_due(self, last: AuditLog) -> bool:
        # After an audit that a person ordered, the next may begin at once: it is spread over
        # AUDIT_DAYS. So may one after an audit without users: PhotoSync is new, and its first
        # copies are unchecked.
        if last.everybody or last.status != audit_log.FINISHED or not last.looked:
            return True
        began = moments.read(last.started_at)
        return abs(self._clock() - began) >= timedelta(days=self._terms.days)

    def _begin(
        self, pointer: Document | None, last: AuditLog | None, *, everybody: bool, repair: bool
    ) -> AuditLog:
        now = self._clock()
        audit = AuditLog(
            id=f"{now:%Y%m%dT%H%M%S}-{self._new_id()[:8]}",
            started_at=now.isoformat(),
            updated_at=now.isoformat(),
            everybody=everybody,
            repair=repair,
            previous=last.id if last else "",
        )
        self._logs.begin(audit, pointer)
        log.info("audit.started id=%s everybody=%s repair=%s", audit.id, everybody, repair)
        self._queue_page(audit)
        return audit

    def _count(self) -> int:
        """How many users have a state, as far as they can be listed in a minute or so."""
        users, token = 0, ""
        for _ in range(_MOST_LISTS):
            leaf = self._listing.leaf(token, _LISTED_AT_ONCE)
            users, token = users + len(leaf.entries), leaf.next
            if not token:
                break
        return users

    def _postpone(self, audit: AuditLog, read: Document, seconds: float) -> None:
        """Put the page off until the budget has room: leave it to the timer, or raise Throttled."""
        until = self._clock() + timedelta(seconds=seconds)
        rests = not audit.everybody
        waiting = replace(audit, waiting_until=until.isoformat(), resting=rests, stalls=0)
        self._logs.write(waiting, after=read)
        if audit.everybody:
            raise Throttled(
                f"The audit waits until {until:%H:%M:%S} UTC for its share of the profile budget.",
                retry_after=seconds,
                # No service refused anything, so there is no reason to back off further each time.
                over_in=seconds,
                service="sharepoint",
            )

    def _check_due(self, due: Sequence[Stored], audit: AuditLog, read: Document) -> list[Finding]:
        """
        Check those who are *due*. Raises TryLater, and GiveUp for an error that nearly all share.
        """
        findings = self._checker.check(due)
        try:
            throttled = [each.error for each in findings if isinstance(each.error, Throttled)]
            if throttled and audit.tries < _MOST_TRIES:
                # Most likely the whole app is throttled: the next pages would fail too.
                raise max(throttled, key=lambda error: error.retry_after or 0.0)
            self._raise_common_error(audit, findings)
        except TryLater:
            # A page whose message is hidden, perhaps for hours, is not lost.
            tried = replace(audit, stalls=0, tries=min(audit.tries + 1, _MOST_TRIES))
            self._logs.write(tried, after=read)
            raise
        return findings

    def _raise_common_error(self, audit: AuditLog, findings: Sequence[Finding]) -> None:
        """Raise the most common error of the page if nearly all its users failed."""
        errors = [each.error for each in findings if each.error]
        if not sweep_rules.is_common_failure(
            len(errors),
            len(findings),
            failed_before=audit.unanswered,
            asked_before=audit.looked + audit.unanswered,
        ):
            return
        kinds = Counter(type(each) for each in errors)

        def weight(error: PhotoSyncError) -> tuple[int, bool]:
            return kinds[type(error)], isinstance(error, TryLater)

        raise max(errors, key=weight)

    def _recorded(self, finding: Finding) -> Finding:
        """
        Record what differs in the state; return the finding, or an empty one after a Conflict.
        """
        if finding.after == finding.stored.state:
            return finding
        try:
            user_state.write(self._states, finding.after, after=finding.stored)
        except Conflict:
            # The other run knows more: our check may have seen its files.
            return Finding(finding.stored, finding.stored.state)
        if finding.damage:
            log.warning('audit.differs user=%s why="%s"', finding.user_id, finding.damage)
        return finding

    def _after(self, audit: AuditLog, findings: Sequence[Finding], following: str) -> AuditLog:
        now = self._clock()
        errors = sum(each.error is not None for each in findings)
        after = replace(
            audit,
            updated_at=now.isoformat(),
            page=audit.page + 1,
            next=following,
            looked=audit.looked + len(findings) - errors,
            differ=audit.differ + sum(bool(each.damage) for each in findings),
            unclear=audit.unclear + sum(bool(each.unclear) for each in findings),
            unanswered=audit.unanswered + errors,
            waiting_until="",
            stalls=0,
            tries=0,
        )
        after = after.braked(audit.page)
        if after.repairs == audit_log.BRAKED:
            after = replace(after, held=after.held + after.differ - audit.differ)
        if not following:
            return replace(after, status=audit_log.FINISHED, finished_at=now.isoformat())
        rests = not after.everybody and now < after.due_at(self._terms.days)
        return replace(after, resting=rests)

    def _queue_page(self, audit: AuditLog) -> None:
        message = UpkeepMessage(AUDIT_PAGE, audit_id=audit.id, page=audit.page)
        self._upkeep.send(message.to_json(), delay_seconds=0)

    def _report(self, before: AuditLog, audit: AuditLog, findings: Sequence[Finding]) -> None:
        for result in ("differ", "unclear", "unanswered"):
            count = getattr(audit, result) - getattr(before, result)
            metrics.audited.add(count, {"result": result})
        for each in findings:
            if each.error:
                why = loggable(str(each.error))
                log.info('audit.unanswered user=%s why="%s"', each.user_id, why)
        right = sum(not (each.damage or each.unclear or each.error) for each in findings)
        metrics.audited.add(right, {"result": "right"})
        if audit.repairs == audit_log.BRAKED != before.repairs:
            log.error('audit.braked id=%s why="%s"', audit.id, audit.detail)
        if not audit.is_running:
            log.info(
                "audit.finished id=%s looked=%d differ=%d unclear=%d unanswered=%d repairs=%s",
                audit.id,
                audit.looked,
                audit.differ,
                audit.unclear,
                audit.unanswered,
                audit.repairs if audit.repair else "none",
            )
