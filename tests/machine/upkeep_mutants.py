"""Sweep, audit and subscription keeper with one step left out; see `mutants`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.auditing.audit import Audit
from shared.auditing.audit_log import AuditLog
from shared.auditing.checker import Finding, PictureChecker
from shared.auditing.repairs import Repairs
from shared.errors import GiveUp, NoMailbox, NoPhoto, PhotoSyncError, TryLater
from shared.graph.subscriptions import Subscription
from shared.messages.upkeep_message import BUNDLE, UpkeepMessage
from shared.storage.documents import Document
from shared.storage.roster_entry import Entry
from shared.storage.user_state import Stored, UserState
from shared.subscription.keeper import NAME, SubscriptionKeeper
from shared.sweeping import sweep_log
from shared.sweeping.snapshot import Snapshot
from shared.sweeping.state_page import StateChecker
from shared.sweeping.stretch import Stretch
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLog
from shared.sweeping.sweep_page import PageChecker, PageResult
from shared.upkeep.upkeep import Upkeep
from shared.user import User


class NoSweep(Sweep):
    """Users without a notification are never checked."""

    def start(self, *, again: bool = False) -> str:
        return ""


class OneFailsThePage(PageChecker):
    """One mailbox's error fails the whole page."""

    def check(self, users: Sequence[User]) -> PageResult:
        result = super().check(users)
        if result.errors:
            raise result.errors[0]
        return result


class AuditTrustsState(PictureChecker):
    """An audit does not ask SharePoint: it believes the state."""

    def check(self, due: Sequence[Stored]) -> list[Finding]:
        return [Finding(stored, stored.state) for stored in due]


class NoMailboxInSweep(PageChecker):
    """A missing mailbox counts as one without a photo in the sweep, which orders removals."""

    def check(self, users: Sequence[User]) -> PageResult:
        photos = self._photos

        class Photos:
            def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
                found = photos.photo_etags(user_ids)
                return {
                    each: NoPhoto("No mailbox.") if isinstance(one, NoMailbox) else one
                    for each, one in found.items()
                }

        self._photos = Photos()
        try:
            return super().check(users)
        finally:
            self._photos = photos


class NeverForgetsWithoutNotification(StateChecker):
    """A user who has left is found only by a notification."""

    def _why_moved(self, entry: Entry, found: User | PhotoSyncError) -> str:
        return ""


class SweepNeverRevived(Sweep):
    """A sweep whose message was lost runs forever, and no other begins."""

    def _is_quiet(self, sweep: SweepLog, how_long: timedelta) -> bool:
        return False


class SweepPageOnce(Sweep):
    """A page that is redelivered after its run died counts as a duplicate."""

    def _go_on_after(self, page: int, sweep: SweepLog) -> None:
        pass

    def _revived(self, sweep: SweepLog) -> bool:
        return True


class Unbraked(Sweep):
    """Removals are ordered, however many photos are missing at once."""

    def _after(self, sweep: SweepLog, result: PageResult, following: str) -> SweepLog:
        after = super()._after(sweep, result, following)
        becomes = {sweep_log.BRAKED: sweep_log.DUE}
        return replace(
            after,
            removals=becomes.get(after.removals, after.removals),
            forgetting=becomes.get(after.forgetting, after.forgetting),
        )


class WaitsForever(PageChecker):
    """A waiting user is not checked, even if the message was lost long ago."""

    def _why_check(
        self, known: UserState | None, found: str | PhotoSyncError, now: datetime
    ) -> str:
        why = super()._why_check(known, found, now)
        return "" if why == "overdue" else why


class TurnNeverStartsAgain(Sweep):
    """Users whom Graph was once asked about by id are never asked about again."""

    def _after_states(self, stretch: Stretch, snapshot: Snapshot) -> SweepLog:
        after = super()._after_states(stretch, snapshot)
        return after if after.asked_to else replace(after, asked_to="g")


class AuditNeverRevived(Audit):
    """An audit whose message was lost runs forever, and no other begins."""

    def _wake(self, audit: AuditLog, *, again: bool = False) -> None:
        if audit.resting:
            super()._wake(audit, again=again)


class AuditWritesOverRuns(Audit):
    """An audit's finding overwrites what a run has recorded since."""

    def _recorded(self, finding: Finding) -> Finding:
        now = self._states.read(finding.user_id)
        return super()._recorded(replace(finding, stored=now) if now else finding)


class AuditOrdersNoRepair(Repairs):
    """The repairs of a page are recorded and not ordered."""

    def order(self, audit: AuditLog, page: int, user_ids: Sequence[str]) -> None:
        pass


class AuditStopsAtAPage(Audit):
    """An audit ends after its first page."""

    def _after(self, audit: AuditLog, findings: Sequence[Finding], following: str) -> AuditLog:
        return super()._after(audit, findings, "")


class ListTrusted(SubscriptionKeeper):
    """A subscription that Graph does not list counts as missing."""

    def _kept(self, before: Document, reauthorize: bool, removed: str) -> tuple[Subscription, str]:
        forgetful = before._replace(fields={**before.fields, "id": ""})
        return super()._kept(forgetful, reauthorize, removed)


class SurplusNotDeleted(SubscriptionKeeper):
    """Surplus subscriptions are not deleted."""

    def __init__(self, client: Any, *args: Any, **options: Any) -> None:
        super().__init__(_NoDeletion(client), *args, **options)


class _NoDeletion:
    def __init__(self, client: Any) -> None:
        self.list_own, self.find = client.list_own, client.find
        self.create, self.renew = client.create, client.renew

    def delete(self, id_: str) -> None:
        pass


class NoSweepAfterCreation(SubscriptionKeeper):
    """No sweep is ordered for the time without a subscription."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "missed": lambda: None})


class NeverCreatedAgain(SubscriptionKeeper):
    """A created subscription counts as live until it expires."""

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        if reauthorize or not self._documents.read(NAME):
            super().keep(reauthorize=reauthorize, removed=removed)


class NoSweepForMissed(Sweep):
    """Graph reports missed notifications, and no sweep is ordered."""

    def make_up_for(self, moment: datetime, *, again: bool = False) -> None:
        pass


class SweepStopsAtAPage(Sweep):
    """A sweep ends after its first page of users."""

    def _after(self, sweep: SweepLog, result: PageResult, following: str) -> SweepLog:
        is_users = following != "" and not following.startswith(sweep_log.STATES)
        return super()._after(sweep, result, sweep_log.STATES if is_users else following)


class SweepOrderedTooLate(SubscriptionKeeper):
    """The sweep for missed changes is ordered after the subscription is recorded, not before."""

    _owed = False

    def __init__(self, *args: Any, **options: Any) -> None:
        self._ask = options["missed"]
        super().__init__(*args, **{**options, "missed": self._owe})

    def _owe(self) -> None:
        self._owed = True

    def _record(self, before: Document, fields: dict[str, Any]) -> None:
        super()._record(before, fields)
        if self._owed:
            self._owed = False
            self._ask()


class RestOfBundleDropped(Upkeep):
    """If one user of a bundle cannot be queued, the rest of the bundle is dropped."""

    def _end(self, message: UpkeepMessage, error: TryLater | GiveUp) -> None:
        if message.kind != BUNDLE:
            super()._end(message, error)


class NeverReauthorized(SubscriptionKeeper):
    """A subscription that is to be reauthorized is not."""

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        if not reauthorize:
            super().keep(removed=removed)
