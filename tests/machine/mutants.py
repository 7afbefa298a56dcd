"""The core with one step moved or left out, each of which the simulation must catch."""

from __future__ import annotations

from dataclasses import replace

from shared.copying.held_claim import HeldClaim
from shared.copying.run import Run
from shared.copying.sync import Sync
from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, UnknownUser
from tests.machine import upkeep_mutants as upkeep
from tests.machine.instance import Parts
from tests.race import mutants as race


class RemovalInAnyRun(Sync):
    """A picture is removed as soon as its photo is not found once."""

    def _may_remove(self, run: Run) -> bool:
        return run.before.picture_url != ""


class RemovalOnOrderOfSweep(Sync):
    """A picture is removed on a sweep's order, without a second look."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        return NoPhoto("The sweep ordered it.") if run.removal else super()._photo_etag(run)


class HashNeverKnown(Sync):
    """A new etag counts as a new picture."""

    def _read_state(self, run: Run) -> None:
        super()._read_state(run)
        if run.known:
            run.known = run.known._replace(state=replace(run.known.state, sha256=""))


class RepairWithoutClaim(Sync):
    """A repair takes no claim, so another run may copy at the same time."""

    def _claim(self, run: Run) -> HeldClaim:
        if not run.thorough:
            return super()._claim(run)
        run.claim = run.known
        return race.Unclaimed(self._store, run, self._ticks)


class NoMailboxIsNoPhoto(Sync):
    """A missing mailbox counts as one without a photo."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        found = super()._photo_etag(run)
        return NoPhoto("No mailbox.") if isinstance(found, NoMailbox) else found


class ForgetsTooEarly(Sync):
    """A user unknown to Graph is forgotten at the first look, whatever the reason of the run."""

    def _may_forget(self, run: Run) -> bool:
        return run.before.picture_url != ""


class ForgetsOnOrderOfSweep(Sync):
    """A user is forgotten on a sweep's order, without asking Graph again."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        if self._may_forget(run):
            return UnknownUser("The sweep ordered it.")
        return super()._photo_etag(run)

    def _why_no_user(self, run: Run) -> PhotoSyncError:
        return UnknownUser("The sweep ordered it.")


class ProfileNotChecked(Sync):
    """The profile of a user who comes back is not checked."""

    def _read_state(self, run: Run) -> None:
        super()._read_state(run)
        run.thorough = False


# Only the race finds them: here storage answers at once, and no call outlives its run.
_BEYOND = {race.RenewalWithoutLook, race.ClaimSinceItsAnswer, race.WritesUntilTheEnd}
# The parts with each defect.
SEEDED: dict[str, Parts] = {
    name: Parts(sync=kind)
    for name, kind in vars(race).items()
    if isinstance(kind, type) and issubclass(kind, Sync) and kind not in {Sync, *_BEYOND}
} | {
    "NoSweep": Parts(sweep=upkeep.NoSweep),
    "RemovalOnOrderOfSweep": Parts(sync=RemovalOnOrderOfSweep),
    "OneFailsThePage": Parts(pages=upkeep.OneFailsThePage),
    "NoMailboxIsNoPhoto": Parts(sync=NoMailboxIsNoPhoto, pages=upkeep.NoMailboxInSweep),
    "AuditTrustsState": Parts(checker=upkeep.AuditTrustsState),
    "RepairWithoutClaim": Parts(sync=RepairWithoutClaim),
    "ForgetsTooEarly": Parts(sync=ForgetsTooEarly),
    "ForgetsOnOrderOfSweep": Parts(sync=ForgetsOnOrderOfSweep),
    "NeverForgetsWithoutNotification": Parts(state_checker=upkeep.NeverForgetsWithoutNotification),
    "ProfileNotChecked": Parts(sync=ProfileNotChecked),
    "HashNeverKnown": Parts(sync=HashNeverKnown),
    "RemovalInAnyRun": Parts(sync=RemovalInAnyRun),
    "SweepNeverRevived": Parts(sweep=upkeep.SweepNeverRevived),
    "SweepPageOnce": Parts(sweep=upkeep.SweepPageOnce),
    "Unbraked": Parts(sweep=upkeep.Unbraked),
    "WaitsForever": Parts(pages=upkeep.WaitsForever),
    "TurnNeverStartsAgain": Parts(sweep=upkeep.TurnNeverStartsAgain),
    "AuditNeverRevived": Parts(audit=upkeep.AuditNeverRevived),
    "AuditWritesOverRuns": Parts(audit=upkeep.AuditWritesOverRuns),
    "AuditOrdersNoRepair": Parts(repairs=upkeep.AuditOrdersNoRepair),
    "AuditStopsAtAPage": Parts(audit=upkeep.AuditStopsAtAPage),
    "ListTrusted": Parts(keeper=upkeep.ListTrusted),
    "SurplusNotDeleted": Parts(keeper=upkeep.SurplusNotDeleted),
    "NoSweepAfterCreation": Parts(keeper=upkeep.NoSweepAfterCreation),
    "NeverCreatedAgain": Parts(keeper=upkeep.NeverCreatedAgain),
    "NoSweepForMissed": Parts(sweep=upkeep.NoSweepForMissed),
    "SweepStopsAtAPage": Parts(sweep=upkeep.SweepStopsAtAPage),
    "SweepOrderedTooLate": Parts(keeper=upkeep.SweepOrderedTooLate),
    "RestOfBundleDropped": Parts(upkeep=upkeep.RestOfBundleDropped),
    "NeverReauthorized": Parts(keeper=upkeep.NeverReauthorized),
}
