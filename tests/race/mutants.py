"""Variants of Sync with one step moved or left out, each of which the search must find."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from shared.copying.held_claim import CLAIM_LENGTH, FREE, HeldClaim
from shared.copying.run import Run
from shared.copying.sync import Sync
from shared.errors import ClaimHeld, Conflict, PhotoSyncError
from shared.graph.client import Fetched
from shared.messages.disposition import Done, Wait
from shared.microsoft365.http import REQUEST_LIMIT
from shared.storage.user_state import Stored, UserState


def _holding(held: type[HeldClaim]) -> Any:
    """Step 4, with another class of claim."""

    def _claim(sync: Sync, run: Run) -> HeldClaim:
        claim = held(sync._store, run, sync._ticks)
        claim.take()
        return claim

    return _claim


class StateBeforeSource(Sync):
    """Steps 1 and 2 swapped."""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        if not run.claim:
            super()._read_state(run)
        return super()._photo_etag(run)

    def _read_state(self, run: Run) -> None:
        pass


class BytesBeforeClaim(Sync):
    """Step 5 before step 4, though after step 2: any earlier would be worse."""

    def _claim(self, run: Run) -> HeldClaim:
        if run.removal:
            return super()._claim(run)
        early = self._source.user_and_photo(run.user_id)
        claim = super()._claim(run)
        known: Any = _Known(self._source, early)
        self._source = known
        return claim


class _Known:
    def __init__(self, source: Any, early: Fetched) -> None:
        self._early = early
        self.photo_etag, self.user = source.photo_etag, source.user

    def user_and_photo(self, user_id: str) -> Fetched:
        return self._early


class ClaimNotChecked(Sync):
    """Step 3 left out: another run's live claim is overwritten."""

    def _read_state(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.state_read = True


class NoClaim(Sync):
    """Step 4 left out; the result is still written conditionally."""

    def _claim(self, run: Run) -> HeldClaim:
        run.claim = run.known
        return Unclaimed(self._store, run, self._ticks)


class UnconditionalResult(Sync):
    """Step 7 overwrites any newer state."""

    def _complete(self, run: Run, **result: Any) -> None:
        run.claim = self._store.read(run.user_id)
        super()._complete(run, **result)


class HashOutlivesError(Sync):
    """A run that failed between two files keeps the previous picture's hash."""

    def record(self, run: Run, end: Wait | Done, *, attempt: int) -> None:
        super().record(replace(run, files_touched=False), end, attempt=attempt)


def _without_claim_before(run: Run) -> Run:
    if not run.known:
        return run
    return replace(run, known=run.known._replace(state=replace(run.known.state, claim=None)))


class HashOutlivesDeath(Sync):
    """The claim of a run that died between two files does not put the hash in doubt."""

    def _is_held(self, run: Run, sha256: str) -> bool:
        return super()._is_held(_without_claim_before(run), sha256)


class DeathForgottenOnError(Sync):
    """A run that follows a dead one, and fails itself, keeps the hash."""

    def record(self, run: Run, end: Wait | Done, *, attempt: int) -> None:
        super().record(_without_claim_before(run), end, attempt=attempt)


class ClaimByOwnClock(Sync):
    """A claim's end is set by its writer's clock, and checked by its reader's clock."""

    def _claim(self, run: Run) -> HeldClaim:
        run.by = (self._clock() + timedelta(seconds=CLAIM_LENGTH)).isoformat()
        return super()._claim(run)

    def _read_state(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.state_read = True
        claim = run.before.claim
        if claim and self._clock() < datetime.fromisoformat(claim.by):
            raise ClaimHeld("Another run is copying this user right now.", over_in=1.0)


class Unclaimed(HeldClaim):
    """Any write may begin, even of a run without a claim."""

    def announce(self, picture_url: str) -> None:
        if self._run.claim:
            super().announce(picture_url)

    def before_write(self) -> None:
        pass


class NeverTooLate(Sync):
    """A frozen run continues to write files after its claim has expired."""

    _claim = _holding(Unclaimed)


class _UntilTheEnd(HeldClaim):
    def _covers_a_write(self) -> bool:
        return self._ticks() <= self._not_after + REQUEST_LIMIT


class WritesUntilTheEnd(Sync):
    """A write may begin while the claim is live, and may end after the claim has expired."""

    _claim = _holding(_UntilTheEnd)


class _Unconditional(HeldClaim):
    def _renew(self) -> None:
        now = self._store.read(self._run.user_id)
        self._write(replace(self._held.state), now)


class RenewalWithoutCondition(Sync):
    """A renewed claim overwrites any newer state."""

    _claim = _holding(_Unconditional)


class _Unchecked(HeldClaim):
    def before_write(self) -> None:
        if not self._covers_a_write():
            self._renew()


class RenewalWithoutLook(Sync):
    """A write begins after the claim's renewal, however long the renewal took."""

    _claim = _holding(_Unchecked)


class _SinceTheAnswer(HeldClaim):
    def _write(self, state: UserState, after: Stored | None) -> None:
        super()._write(state, after)
        self._not_after = self._ticks() + FREE


class ClaimSinceItsAnswer(Sync):
    """A claim's age is counted from storage's answer, although it was written earlier."""

    _claim = _holding(_SinceTheAnswer)


class OwnClaimTakenOver(Sync):
    """A redelivered message takes over the previous run's claim, although that run may continue."""

    def _read_state(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.state_read = True
        claim = run.before.claim
        if claim and claim.by != run.by and claim.is_live:
            raise ClaimHeld("Another run is copying this user right now.", over_in=claim.left)


class EtagOfTheEnd(Sync):
    """The etag recorded is read after the bytes, so it may be a newer photo's."""

    def _complete(self, run: Run, **result: Any) -> None:
        result["source_etag"] = self._source.photo_etag(run.user_id)
        super()._complete(run, **result)


class EtagOfTheBeginning(Sync):
    """The etag of step 1 is recorded, although the bytes may be another photo's."""

    def _stable_etag(self, before: str, after: str) -> str:
        return before


class LateWriteIgnored(Sync):
    """A run whose write was not answered releases its claim at once."""

    def record(self, run: Run, end: Wait | Done, *, attempt: int) -> None:
        if isinstance(end, Wait):
            end = replace(end, unanswered=False)
        super().record(run, end, attempt=attempt)


class AbsenceFoundBeforeClaim(Sync):
    """A result from before the claim is recorded without checking again under the claim."""

    def _is_known(self, run: Run, found: str | PhotoSyncError) -> bool:
        if isinstance(found, PhotoSyncError):
            raise found
        return super()._is_known(run, found)


class ClaimWithoutCondition(Sync):
    """Step 4 overwrites any newer state."""

    def _claim(self, run: Run) -> HeldClaim:
        run.known = self._store.read(run.user_id)
        return super()._claim(run)


class LostResultForgotten(Sync):
    """A run that wrote files, and then finds a newer state, does not record that it wrote."""

    def bring_up_to_date(self, run: Run) -> str:
        try:
            return super().bring_up_to_date(run)
        except Conflict:
            run.files_touched = False
            raise


class HashIgnored(Sync):
    """A new etag counts as a new picture."""

    def _is_held(self, run: Run, sha256: str) -> bool:
        return False


class RemovalWithoutSecondLook(Sync):
    """A photo that was missing before the claim is not checked again under the claim."""

    _found: str | PhotoSyncError = ""

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        if not run.claim or not run.removal:
            self._found = super()._photo_etag(run)
        return self._found


class RemovalAtFirstLook(Sync):
    """The picture of a missing photo is removed at once."""

    def _may_remove(self, run: Run) -> bool:
        return run.removal and run.before.picture_url != ""


class AbsenceOutlivesPhoto(Sync):
    """The time when a photo was first missed is kept, although the photo was back since."""

    def _complete(self, run: Run, **result: Any) -> None:
        super()._complete(run, **{"missing_since": run.before.missing_since, **result})


class _Silent(HeldClaim):
    def announce(self, picture_url: str) -> None:
        pass


class PlaceNotAnnounced(Sync):
    """A new picture's place is recorded only after the picture is written."""

    _claim = _holding(_Silent)
