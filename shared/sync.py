"""
Brings one user's SharePoint picture up to date: the order of steps that is the whole argument.

    etag = photo metadata from Graph          1  the source first
    known = state blob, with its version      2  the state second
    known.claim is live      -> ClaimHeld     3  somebody is copying this user now
    known covers etag        -> unchanged        two calls in all: the usual case
    known tells the absence  -> the same         also two; else 1 is asked again after 4
    write a claim over known                  4  conditional; lost -> Conflict
    user, photo, its etag    from Graph       5  the bytes after the claim, the etag after them
    known holds their hash   -> unchanged        recorded as in step 7
    files, properties, timestamp              6  none begins when the claim runs short
    write the result over the claim           7  conditional; drops the claim; with the etag of
                                                 step 1 if step 5 read the same, else with none

Whoever finds the state unclaimed at 2 has read the source before, so a copier who claims later
reads the source later still and sees at least as new a photo. With 1 and 2 swapped, a user who
changes a photo back while another copy is in flight is skipped and the wrong picture stays. No
newer etag than that of step 1 is recorded, for the same reason; and that one only if the photo had
it still after the bytes were read. Where an etag never returns the second look is idle. Where it
does (this is reported only, graph.md section 1), the bytes between may be another photo's, which
would pass for shown once the first is back. What no look can tell is a photo that is replaced
before its bytes are read and put back before the next request of the same batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared import state
from shared.errors import ClaimHeld, GiveUp, NoProfile, PhotoSyncError, PictureKept, Settled
from shared.fates import Done, Wait
from shared.graph import Fetched, User
from shared.http import LATE_WRITE, REQUEST_LIMIT
from shared.publishing import Plan
from shared.state import Claim, LastError, Store, Stored, UserState

# Shorter than the ten minutes for which the host hides the message of a run that died.
CLAIM_LENGTH = timedelta(minutes=5)


class Source(Protocol):
    """Exchange, through Graph; see GraphClient."""

    def photo_etag(self, user: str) -> str: ...
    def user_and_photo(self, user_id: str) -> Fetched: ...


class Target(Protocol):
    """SharePoint; see Publisher."""

    def plan(self, user: User) -> Plan: ...
    def publish(self, plan: Plan, renditions: Sequence[bytes], *, not_after: datetime) -> None: ...


@dataclass(frozen=True)
class Recipe:
    """How renditions are made: `render` does it, `sizes` and `version` name the way."""

    sizes: str
    version: int
    render: Callable[[bytes], Sequence[bytes]]


@dataclass
class Run:
    """One try at one user: what it has seen and what it holds, for whoever records its end."""

    user_id: str
    force: bool
    by: str
    recalled: bool = False
    known: Stored | None = None
    claim: Stored | None = None
    files_touched: bool = False

    @property
    def before(self) -> UserState:
        """The state as it was before this run."""
        return self.known.state if self.known else UserState(self.user_id)


class Sync:
    """Copies photos. Threads may share it: everything about one run is in its Run."""

    def __init__(
        self,
        source: Source,
        target: Target,
        store: Store,
        recipe: Recipe,
        *,
        check_scope: Callable[[User], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._source = source
        self._target = target
        self._store = store
        self._recipe = recipe
        self._check_scope = check_scope
        self._clock = clock

    def bring_up_to_date(self, run: Run) -> str:
        """
        Copy the photo if it differs. Returns "synced" or "unchanged", or raises why not.

        *run* holds afterwards what was seen, claimed and touched; `record` needs it on an error.
        """
        etag = self._look(run)  # 1
        self._recall(run)  # 2, 3
        if self._is_known(run, etag):
            return "unchanged"
        not_after = self._claim(run)  # 4
        if isinstance(etag, PhotoSyncError):
            # Another run may have copied a new photo since: only what is found under the claim
            # may be written over what that run recorded.
            etag = self._source.photo_etag(run.user_id)
        fetched = self._source.user_and_photo(run.user_id)  # 5
        user, etag = fetched.user, self._unmoved(etag, fetched.etag)
        self._check_scope(user)
        sha256 = hashlib.sha256(fetched.photo).hexdigest()
        if self._is_held(run, sha256):
            self._complete(run, user, sha256=sha256, source_etag=etag)
            return "unchanged"
        renditions = self._recipe.render(fetched.photo)
        plan = self._target.plan(user)
        run.files_touched = True
        self._target.publish(plan, renditions, not_after=not_after)  # 6
        self._complete(  # 7
            run,
            user,
            sha256=sha256,
            source_etag=etag,
            picture_url=plan.picture_url,
            sizes=self._recipe.sizes,
            recipe=self._recipe.version,
            synced_at=self._clock(),
        )
        return "synced"

    def record(self, run: Run, end: Wait | Done, *, attempt: int) -> None:
        """
        Write how a run ended that raised, and give its claim back. Raises Conflict, ServiceDown.

        A wait before anything was claimed leaves the state as it was: an outage must not cost a
        write for every message. A claim held by somebody else is never touched.
        """
        if isinstance(end, Wait) and not run.claim:
            return
        if not run.recalled:
            run.known = self._store.read(run.user_id)
        if not run.claim and self._is_claimed(run):
            return
        after = self._after(run, end, attempt)
        if run.claim or not after.says_the_same(run.before):
            state.write(self._store, after, after=run.claim or run.known)

    def _look(self, run: Run) -> str | PhotoSyncError:
        """The photo's etag, or why there is none: that too is weighed after the state is read."""
        try:
            return self._source.photo_etag(run.user_id)
        except (Settled, GiveUp) as finding:
            return finding

    def _recall(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.recalled = True
        if self._is_claimed(run):
            raise ClaimHeld("Another run is copying this user right now.")

    def _is_claimed(self, run: Run) -> bool:
        claim = run.before.claim
        return claim is not None and claim.is_live(self._clock())

    def _is_known(self, run: Run, found: str | PhotoSyncError) -> bool:
        """Whether SharePoint shows the photo. Raises what was *found* if the state says it too."""
        if isinstance(found, PhotoSyncError):
            status = found.status if isinstance(found, Settled) else state.FAILED
            if run.before.tells(status, str(found)):
                raise found
            return False
        recipe = self._recipe
        return not run.force and run.before.covers(found, sizes=recipe.sizes, recipe=recipe.version)

    def _is_held(self, run: Run, sha256: str) -> bool:
        recipe = self._recipe
        return not run.force and run.before.holds(sha256, sizes=recipe.sizes, recipe=recipe.version)

    def _unmoved(self, before: str, after: str) -> str:
        """The etag to record, none if it is not sure that the bytes are of the photo it names."""
        return before if before == after else ""

    def _claim(self, run: Run) -> datetime:
        """Claim the user, and return the moment after which no write may begin."""
        #   run A  reads v1 -- writes v2, claimed -- stops dead
        #   run B     reads v1 -- its claim: Conflict
        #   run C                                          reads v2 -- writes v3, claimed
        #   time     ----------|<------- CLAIM_LENGTH ------>|-------------------------->
        #
        # If A wakes up late it writes no file, since no request begins after what is returned
        # here, and its result still names v2 and is refused.
        expires_at = self._clock() + CLAIM_LENGTH
        claimed = replace(run.before, claim=Claim(run.by, expires_at))
        run.claim = state.write(self._store, claimed, after=run.known)
        return expires_at - REQUEST_LIMIT

    def _complete(self, run: Run, user: User, **result: Any) -> None:
        done = replace(
            run.before,
            user_principal_name=user.user_principal_name,
            status=state.SYNCED,
            detail="",
            checked_at=self._clock(),
            attempt=0,
            next_attempt_at=None,
            claim=None,
            last_error=None,
            **result,
        )
        state.write(self._store, done, after=run.claim)

    def _after(self, run: Run, end: Wait | Done, attempt: int) -> UserState:
        now = self._clock()
        # Where SharePoint shows something else, a photo that comes back must be copied again.
        unknown = run.files_touched or end.code in {NoProfile.code, PictureKept.code}
        after = replace(
            run.before.released(files_touched=unknown),
            detail=end.sentence,
            checked_at=now,
            attempt=attempt,
        )
        if end.unanswered and run.files_touched:
            # It may be carried out yet, after a newer picture of the next run: the claim stays
            # until that is past, whether this message comes back or not.
            after = replace(after, claim=Claim(run.by, now + LATE_WRITE))
        if isinstance(end, Wait):
            again_at = now + timedelta(seconds=end.seconds)
            return replace(after, status=state.WAITING, next_attempt_at=again_at)
        failed = end.status == state.FAILED
        return replace(
            after,
            status=end.status,
            source_etag="",
            next_attempt_at=None,
            last_error=LastError(end.code, end.sentence, now) if failed else None,
        )
