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


class RemovalWhoeverOrders(Sync):
    """A photo that is not found once takes the picture along."""

    def _may_remove(self, run: Run) -> bool:
        return run.before.picture_url != ""


class RemovalOnHearsay(Sync):
    """Whom a sweep has found gone loses the picture, and nobody looks again."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        return NoPhoto("The sweep said so.") if run.removal else super()._photo_etag(run)


class HashNeverKnown(Sync):
    """A new etag is taken for a new picture."""

    def _read_state(self, run: Run) -> None:
        super()._read_state(run)
        if run.known:
            run.known = run.known._replace(state=replace(run.known.state, sha256=""))


class RepairWithoutClaim(Sync):
    """What an audit has found is repaired while others may copy."""

    def _claim(self, run: Run) -> HeldClaim:
        if not run.thorough:
            return super()._claim(run)
        run.claim = run.known
        return race.UnreadSide(self._store, run, self._ticks)


class VanishedIsGone(Sync):
    """A mailbox that is not there is taken for one without a photo."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        found = super()._photo_etag(run)
        return NoPhoto("No mailbox.") if isinstance(found, NoMailbox) else found


class ForgetsTooEarly(Sync):
    """Whom Graph does not know is forgotten at the first look, whoever ordered it."""

    def _may_forget(self, run: Run) -> bool:
        return run.before.picture_url != ""


class ForgetsOnHearsay(Sync):
    """Whom a sweep has found due is forgotten, and nobody asks Graph again."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        return (
            UnknownUser("The sweep said so.") if self._may_forget(run) else super()._photo_etag(run)
        )

    def _why_no_user(self, run: Run) -> PhotoSyncError:
        return UnknownUser("The sweep said so.")


class KeepsTheState(Sync):
    """Who comes back is taken for shown, whatever became of the profile."""

    def _read_state(self, run: Run) -> None:
        super()._read_state(run)
        run.thorough = False


# Only the race finds them: here storage answers at once, and nothing is under way after a death.
_BEYOND = {race.RenewalWithoutLook, race.ClaimSinceItsAnswer, race.WritesUntilTheEnd}
# By the defect, the parts that have it.
SEEDED: dict[str, Parts] = {
    name: Parts(sync=kind)
    for name, kind in vars(race).items()
    if isinstance(kind, type) and issubclass(kind, Sync) and kind not in {Sync, *_BEYOND}
} | {
    "NoSweep": Parts(sweep=upkeep.NoSweep),
    "RemovalOnHearsay": Parts(sync=RemovalOnHearsay),
    "OneFailsThePage": Parts(pages=upkeep.OneFailsThePage),
    "VanishedIsGone": Parts(sync=VanishedIsGone, pages=upkeep.VanishedIsGoneForSweeps),
    "StateBelieved": Parts(looks=upkeep.StateBelieved),
    "RepairWithoutClaim": Parts(sync=RepairWithoutClaim),
    "ForgetsTooEarly": Parts(sync=ForgetsTooEarly),
    "ForgetsOnHearsay": Parts(sync=ForgetsOnHearsay),
    "ForgetsNobodyUnheard": Parts(state_checker=upkeep.ForgetsNobodyUnheard),
    "KeepsTheState": Parts(sync=KeepsTheState),
    "HashNeverKnown": Parts(sync=HashNeverKnown),
    "RemovalWhoeverOrders": Parts(sync=RemovalWhoeverOrders),
    "SweepNeverRevived": Parts(sweep=upkeep.SweepNeverRevived),
    "SweepPageOnce": Parts(sweep=upkeep.SweepPageOnce),
    "Unbraked": Parts(sweep=upkeep.Unbraked),
    "WaitsForEver": Parts(pages=upkeep.WaitsForEver),
    "TurnNeverBegunAnew": Parts(sweep=upkeep.TurnNeverBegunAnew),
    "AuditNeverRevived": Parts(audit=upkeep.AuditNeverRevived),
    "AuditWritesOverRuns": Parts(audit=upkeep.AuditWritesOverRuns),
    "AuditRepairsNobody": Parts(repairs=upkeep.AuditRepairsNobody),
    "AuditStopsAtAPage": Parts(audit=upkeep.AuditStopsAtAPage),
    "ListBelieved": Parts(keeper=upkeep.ListBelieved),
    "StraysStay": Parts(keeper=upkeep.StraysStay),
    "SilentlyCreated": Parts(keeper=upkeep.SilentlyCreated),
    "NeverCreatedAgain": Parts(keeper=upkeep.NeverCreatedAgain),
    "MissedUnheeded": Parts(sweep=upkeep.MissedUnheeded),
    "SweepStopsAtAPage": Parts(sweep=upkeep.SweepStopsAtAPage),
    "SweepAskedForTooLate": Parts(keeper=upkeep.SweepAskedForTooLate),
    "RestOfABundleForgotten": Parts(upkeep=upkeep.RestOfABundleForgotten),
    "NeverReauthorized": Parts(keeper=upkeep.NeverReauthorized),
}
