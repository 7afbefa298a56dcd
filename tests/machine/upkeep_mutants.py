"""Sweeping, auditing and the subscription with one step left out; see `mutants`."""

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
    """Whoever no notification told of is never looked at."""

    def start(self, *, again: bool = False) -> str:
        return ""


class OneFailsThePage(PageChecker):
    """What one mailbox answers is taken for everybody's."""

    def check(self, users: Sequence[User]) -> PageResult:
        result = super().check(users)
        if result.errors:
            raise result.errors[0]
        return result


class StateBelieved(PictureChecker):
    """An audit takes the state's word for what SharePoint shows."""

    def check(self, due: Sequence[Stored]) -> list[Finding]:
        return [Finding(stored, stored.state) for stored in due]


class VanishedIsGoneForSweeps(PageChecker):
    """The same in the sweep, which orders removals."""

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


class ForgetsNobodyUnheard(StateChecker):
    """Who has left is only found by a notification."""

    def _why_moved(self, entry: Entry, found: User | PhotoSyncError) -> str:
        return ""


class SweepNeverRevived(Sweep):
    """A sweep whose message was lost runs for ever, and no other begins."""

    def _is_quiet(self, sweep: SweepLog, how_long: timedelta) -> bool:
        return False


class SweepPageOnce(Sweep):
    """A page that comes again after a death between its two ends is taken for a duplicate."""

    def _go_on_after(self, page: int, sweep: SweepLog) -> None:
        pass

    def _revived(self, sweep: SweepLog) -> bool:
        return True


class Unbraked(Sweep):
    """However many photos are gone at once, their pictures go, too."""

    def _after(self, sweep: SweepLog, result: PageResult, following: str) -> SweepLog:
        after = super()._after(sweep, result, following)
        becomes = {sweep_log.BRAKED: sweep_log.DUE}
        return replace(
            after,
            removals=becomes.get(after.removals, after.removals),
            forgetting=becomes.get(after.forgetting, after.forgetting),
        )


class WaitsForEver(PageChecker):
    """Whoever waits is in somebody's hand, though the message was lost long ago."""

    def _why_check(
        self, known: UserState | None, found: str | PhotoSyncError, now: datetime
    ) -> str:
        why = super()._why_check(known, found, now)
        return "" if why == "overdue" else why


class TurnNeverBegunAnew(Sweep):
    """Whoever was asked about once by the id never has a turn again."""

    def _after_states(self, stretch: Stretch, snapshot: Snapshot) -> SweepLog:
        after = super()._after_states(stretch, snapshot)
        return after if after.asked_to else replace(after, asked_to="g")


class AuditNeverRevived(Audit):
    """An audit whose message was lost runs for ever, and no other begins."""

    def _wake(self, audit: AuditLog) -> None:
        if audit.resting:
            super()._wake(audit)


class AuditWritesOverRuns(Audit):
    """What an audit has seen is written over what a run has recorded since."""

    def _recorded(self, finding: Finding) -> Finding:
        now = self._states.read(finding.user_id)
        return super()._recorded(replace(finding, stored=now) if now else finding)


class AuditRepairsNobody(Repairs):
    """The repairs of a page are recorded and not ordered."""

    def order(self, audit: AuditLog, page: int, user_ids: Sequence[str]) -> None:
        pass


class AuditStopsAtAPage(Audit):
    """An audit ends with its first page, and calls it everybody."""

    def _after(self, audit: AuditLog, findings: Sequence[Finding], following: str) -> AuditLog:
        return super()._after(audit, findings, "")


class ListBelieved(SubscriptionKeeper):
    """What Graph does not list is taken not to be there."""

    def _kept(self, before: Document, reauthorize: bool, removed: str) -> tuple[Subscription, str]:
        forgetful = before._replace(fields={**before.fields, "id": ""})
        return super()._kept(forgetful, reauthorize, removed)


class StraysStay(SubscriptionKeeper):
    """Only one subscription is looked after, and the others stay."""

    def __init__(self, client: Any, *args: Any, **options: Any) -> None:
        super().__init__(_NoDeletion(client), *args, **options)


class _NoDeletion:
    def __init__(self, client: Any) -> None:
        self.list_own, self.find = client.list_own, client.find
        self.create, self.renew = client.create, client.renew

    def delete(self, id_: str) -> None:
        pass


class SilentlyCreated(SubscriptionKeeper):
    """Nobody asks for a sweep where changes may have told nobody."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "missed": lambda: None})


class NeverCreatedAgain(SubscriptionKeeper):
    """A subscription that was made once is taken to live until it expires."""

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        if reauthorize or not self._documents.read(NAME):
            super().keep(reauthorize=reauthorize, removed=removed)


class MissedUnheeded(Sweep):
    """Graph says that notifications were missed, and no sweep makes up for them."""

    def make_up_for(self, moment: datetime, *, again: bool = False) -> None:
        pass


class SweepStopsAtAPage(Sweep):
    """A sweep ends with its first page of users, and calls it everybody."""

    def _after(self, sweep: SweepLog, result: PageResult, following: str) -> SweepLog:
        is_users = following != "" and not following.startswith(sweep_log.STATES)
        return super()._after(sweep, result, sweep_log.STATES if is_users else following)


class SweepAskedForTooLate(SubscriptionKeeper):
    """What was missed is asked for once the new subscription is written down, not before."""

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


class RestOfABundleForgotten(Upkeep):
    """Where storage does not take one, those who come after are left to the next sweep."""

    def _end(self, message: UpkeepMessage, error: TryLater | GiveUp) -> None:
        if message.kind != BUNDLE:
            super()._end(message, error)


class NeverReauthorized(SubscriptionKeeper):
    """What Graph wants reauthorized is left as it is."""

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        if not reauthorize:
            super().keep(removed=removed)
