"""
Brings one user's SharePoint picture up to date. Correctness rests on the order of these steps:

    etag = photo metadata from Graph          1  the source first
    known = state blob, with its version      2  the state second
    known.claim is live      -> ClaimHeld     3  another run is copying this user now
    known covers etag        -> unchanged        two calls in all: the usual case
    known records no photo   -> the same         also two; else repeat 1 after 4
    no such user, no state   -> the same         write nothing about an id that no user has
    write a claim over known                  4  conditional; lost -> Conflict
    photo, then its etag     from Graph       5  the bytes after the claim, the etag after them;
                                                 meanwhile the user and, if a change is likely,
                                                 SharePoint's profile, by the name in the state
    known holds their hash   -> unchanged        recorded as in step 7; a thorough run first checks
                                                 SharePoint's profile and files
    the photo scaled down, its etag again        only if the photo is too large to be read; the
                                                 recorded hash is that of the large one
    files, properties, timestamp              6  before each begins, it renews a claim that is too
                                                 old; the claim already says where they will be
    write the result over the claim           7  conditional; drops the claim; with the etag of
                                                 step 1 if step 5 read the same, else with none

A run that finds the state unclaimed at 2 has already read the source. So a run that claims later
reads the source later still and sees a photo at least as new. With 1 and 2 swapped, a user who
changes a photo back while another copy is in flight is skipped and the wrong picture stays. For the
same reason no etag newer than that of step 1 is recorded. That one is recorded only if the photo
still had it after the bytes were read: that etags never return is only reported (graph.md section
1). One case is undetectable: a photo replaced before its bytes are read and restored before the
next request of the same batch.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.at_once import AtOnce, error_of_two
from shared.copying.held_claim import HeldClaim
from shared.copying.run import Policy, Run, Source, Target, state_after
from shared.errors import (
    ClaimHeld,
    DryRun,
    GiveUp,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    PictureKept,
    Settled,
    UnknownId,
    UnknownUser,
)
from shared.graph.client import Fetched
from shared.messages.disposition import Done, Wait
from shared.pictures.recipe import Recipe
from shared.sharepoint.publisher import Plan, Removal
from shared.storage import user_state
from shared.storage.user_state import Store
from shared.user import User
from shared.written_file import WrittenFile


class Sync:
    """Copies photos. Threads may share it: all data about one run is in its Run."""

    def __init__(
        self,
        source: Source,
        target: Target,
        store: Store,
        recipe: Recipe,
        policy: Policy,
        *,
        check_scope: Callable[[User], None],
        at_once: AtOnce,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._source = source
        self._target = target
        self._store = store
        self._recipe = recipe
        self._policy = policy
        self._check_scope = check_scope
        self._at_once = at_once
        self._clock = clock
        self._ticks = ticks

    def bring_up_to_date(self, run: Run) -> str:
        """
        Copy the photo if it differs. Returns "synced" or "unchanged"; "removed" for a removed
        picture, "forgotten" for a user who has left for good. Raises the reason for any other end.

        *run* then holds what was seen, claimed and touched; `record` needs it after an error.
        """
        found = self._photo_etag(run)  # 1
        self._read_state(run)  # 2, 3
        if self._is_known(run, found):
            if run.asked:
                self._record_replay(run)
            return "unchanged"
        claim = self._claim(run)  # 4
        if isinstance(found, PhotoSyncError):
            # Another run may have copied a new photo since. Only what is read under the claim may
            # overwrite what that run recorded.
            found = self._photo_etag(run)
        if isinstance(found, PhotoSyncError):
            return self._without_photo(run, found, claim)
        try:
            return self._copy(run, found, claim)
        except UnknownUser as error:
            raise self._why_no_user(run) from error

    def _without_photo(self, run: Run, found: PhotoSyncError, claim: HeldClaim) -> str:
        """Remove the picture or forget the user, or raise *found*, the reason for no photo."""
        if isinstance(found, NoPhoto) and self._may_remove(run):
            return self._remove(run, claim)
        if isinstance(found, UnknownUser):
            found = self._why_no_user(run)
        if isinstance(found, UnknownUser) and self._may_forget(run):
            return self._forget(run, claim)
        if isinstance(found, NoPhoto) and not run.upn:
            # Asked once, so that an admin can find users without a photo by name.
            run.user = self._source.user(run.user_id)
        raise found

    def _copy(self, run: Run, etag: str, claim: HeldClaim) -> str:
        fetched, plan_made = self._fetch(run)  # 5
        run.user, run.etag = fetched.user, self._stable_etag(etag, fetched.etag)
        self._check_scope(fetched.user)
        run.sha256 = hashlib.sha256(fetched.photo).hexdigest()
        held = self._is_held(run, run.sha256)
        if held and not run.thorough:
            self._complete(run, source_etag=run.etag)
            return "unchanged"
        plan = plan_made()
        if held and plan.is_shown and (files := self._intact(run, fetched, plan)):
            # Record the URL as the profile spells it, else each audit reports a change.
            found = {"picture_url": plan.picture_url, "files": files, "damage": ""}
            self._complete(run, sha256=run.sha256, source_etag=run.etag, **found)
            return "unchanged"
        renditions = self._renditions(run, fetched)
        if self._policy.dry_run:
            raise DryRun(f"DRY_RUN is on; otherwise PhotoSync would {plan}.")
        # So that the state has the URL even if this run dies before it finishes.
        claim.announce(plan.picture_url)
        run.files_touched = True
        files = self._target.publish(plan, renditions, before_write=claim.before_write)  # 6
        self._complete(  # 7
            run,
            sha256=run.sha256,
            source_etag=run.etag,
            picture_url=plan.picture_url,
            sizes=self._recipe.sizes,
            recipe=self._recipe.version,
            files=files,
            damage="",
            synced_at=self._clock(),
        )
        return "synced"

    def _fetch(self, run: Run) -> tuple[Fetched, Callable[[], Plan]]:
        """
        The user and the photo, and a function that returns the plan or raises why there is none.

        A profile that was read ahead counts only if Graph still has the user under the name it was
        read by: after a rename that profile may belong to somebody else.
        """
        known = run.last_known
        fetch = functools.partial(self._source.user_and_photo, run.user_id)
        if not known.user_principal_name or not (run.reads_ahead or run.thorough or run.force):
            fetched = fetch()
            return fetched, functools.partial(self._plan, run, fetched.user)
        photo, ahead = self._at_once(fetch, functools.partial(self._plan, run, known))
        if error := error_of_two(photo.exception(), ahead.exception()):
            raise error
        fetched = photo.result()
        if fetched.user.user_principal_name == known.user_principal_name:
            return fetched, ahead.result
        return fetched, functools.partial(self._plan, run, fetched.user)

    def _plan(self, run: Run, user: User) -> Plan:
        return self._target.plan(user, run.before.picture_url, replace=run.replace_chosen)

    def _renditions(self, run: Run, fetched: Fetched) -> Sequence[bytes]:
        return self._recipe.pictures(fetched.photo, lambda: self._scaled(run, fetched))

    def _intact(self, run: Run, fetched: Fetched, plan: Plan) -> tuple[WrittenFile, ...]:
        """SharePoint's files if all of them match the photo, else an empty tuple."""
        wanted = run.before.files
        if not wanted:
            # An older version wrote them, or a run that died without SharePoint's response.
            wanted = tuple(map(WrittenFile.of, self._renditions(run, fetched)))
        found = self._target.find(plan, wanted)
        files = tuple(file for file in found if file)
        return files if len(files) == len(found) else ()

    def _scaled(self, run: Run, fetched: Fetched) -> bytes:
        """A smaller rendition of the *fetched* photo, as far as etags can tell."""
        scaled = self._source.scaled_photo(run.user_id)
        if not scaled.etag or scaled.etag != fetched.etag:
            # It may be of another photo. Without a hash, the next run copies again. With this hash,
            # it would leave the wrong picture in SharePoint if the photo were restored.
            run.sha256 = run.etag = ""
        return scaled.photo

    def withdraw(self, run: Run) -> str:
        """
        Remove our picture for good and forget the user. Returns "forgotten", or raises why not.

        It checks neither photo nor scope: it applies to every user who shows our picture, even one
        whom Graph or SharePoint no longer knows. *run* as above.
        """
        self._read_state(run)
        held = run.known
        if run.before.picture_url:
            claim = self._claim(run)
            removal = self._withdrawal(run)
            if self._policy.dry_run:
                raise DryRun(f"DRY_RUN is on; otherwise PhotoSync would {removal}.")
            run.files_touched = True
            self._target.remove(removal, before_write=claim.before_write)
            held = run.claim
        if held is not None:
            self._store.delete(run.user_id, version=held.version)
        return "forgotten"

    def _withdrawal(self, run: Run) -> Removal:
        try:
            run.user, exists = self._source.user(run.user_id), True
        except UnknownUser:
            run.user, exists = run.last_known, False
        return self._target.plan_withdrawal(run.user, run.before.picture_url, exists=exists)

    def record(self, run: Run, end: Wait | Done, *, attempt: int) -> None:
        """
        Record the end of a run that raised, and release its claim. Raises Conflict, ServiceDown.

        A wait before the claim leaves the state unchanged: an outage must not cost one write per
        message. A claim of another run is never touched, and nothing is recorded about an id that
        no user and no state has. An end that the state already records is written again only if a
        person asked for the run.
        """
        if isinstance(end, Wait) and not run.claim:
            return
        if not run.state_read:
            run.known = self._store.read(run.user_id)
        if run.before.claimed_for or end.code == UnknownId.code:
            return
        recipe = self._recipe.version
        after = state_after(run, end, attempt=attempt, now=self._clock(), recipe=recipe)
        if run.claim or not after.only_repeats(run.before):
            user_state.write(self._store, after, after=run.claim or run.known)

    def _photo_etag(self, run: Run) -> str | PhotoSyncError:
        """The photo's etag, or why there is none; that too is judged after the state is read."""
        run.seen, run.etag = False, ""
        try:
            run.etag = self._source.photo_etag(run.user_id)
        except (Settled, GiveUp) as error:
            return error
        run.seen = True
        return run.etag

    def _why_no_user(self, run: Run) -> PhotoSyncError:
        """Why the photo request found no user: Graph has no such user, or no mailbox for it yet."""
        try:
            run.user = self._source.user(run.user_id)
        except UnknownUser as error:
            return error
        return NoMailbox("Microsoft Graph has the user, but no mailbox or photo yet.")

    def _read_state(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.state_read = True
        # A profile is deleted with its user. When the user returns, it may still be there, or be a
        # new one without the picture (sharepoint.md section 3). While a user was out of scope,
        # the profile was not checked. And what a dry run has announced is still to be done,
        # whatever the hash says.
        before = run.before
        is_back = before.left_since is not None or before.out_of_scope_since is not None
        doubted = is_back or before.reason == DryRun.code
        run.thorough = run.thorough or doubted
        seconds = run.before.claimed_for
        if seconds:
            raise ClaimHeld("Another run is copying this user right now.", over_in=seconds)

    def _is_known(self, run: Run, found: str | PhotoSyncError) -> bool:
        """Whether SharePoint shows the photo. Raises *found* if the state already records it."""
        if isinstance(found, NoPhoto) and run.before.status == user_state.REMOVED:
            return run.before.claim is None
        if isinstance(found, NoPhoto) and self._may_remove(run):
            return False
        if isinstance(found, UnknownUser) and self._may_forget(run):
            return False
        if isinstance(found, UnknownUser) and run.known is None:
            # Anybody can make up ids, and each would leave a blob behind for a long time.
            raise UnknownId(str(found))
        if isinstance(found, PhotoSyncError):
            status = found.status if isinstance(found, Settled) else user_state.FAILED
            if run.before.has_recorded(status, str(found)):
                raise found
            return False
        must_check = run.force or run.thorough
        recipe = self._recipe
        covers = run.before.covers(found, sizes=recipe.sizes, recipe=recipe.version)
        return covers and not must_check

    def _is_held(self, run: Run, sha256: str) -> bool:
        recipe = self._recipe
        return not run.force and run.before.holds(sha256, sizes=recipe.sizes, recipe=recipe.version)

    def _stable_etag(self, before: str, after: str) -> str:
        """The etag to record, empty if the bytes may belong to another photo."""
        return before if before == after else ""

    def _claim(self, run: Run) -> HeldClaim:
        claim = HeldClaim(self._store, run, self._ticks)
        claim.take()
        return claim

    def _may_remove(self, run: Run) -> bool:
        return run.may_remove(self._policy, self._clock())

    def _remove(self, run: Run, claim: HeldClaim) -> str:
        run.user = self._source.user(run.user_id)
        self._check_scope(run.user)
        removal = self._target.plan_removal(run.user, run.before.picture_url)
        if self._policy.dry_run:
            raise DryRun(f"DRY_RUN is on; otherwise PhotoSync would {removal}.")
        run.files_touched = True
        self._target.remove(removal, before_write=claim.before_write)
        self._complete(
            run,
            status=user_state.SKIPPED if removal.kept else user_state.REMOVED,
            reason=PictureKept.code if removal.kept else "",
            detail=removal.kept
            or "The photo is gone from Exchange, so PhotoSync removed the picture from SharePoint.",
            sha256="",
            files=(),
            damage="",
            source_etag="",
            picture_url="",
        )
        return "removed"

    def _may_forget(self, run: Run) -> bool:
        return run.may_forget(self._policy, self._clock())

    def _forget(self, run: Run, claim: HeldClaim) -> str:
        """
        Remove what is certainly ours, and delete the state last, since it is the only record.

        A run that dies in between leaves the state as it was. The redelivered message, or one from
        the next sweep, repeats the work; what is already gone is not an error.
        """
        before = run.before
        if before.picture_url:
            leaver = User(run.user_id, before.user_principal_name, False, False)
            plan = self._target.plan_forgetting(leaver, before.picture_url)
            run.files_touched = True
            self._target.remove(plan, before_write=claim.before_write)
        self._store.delete(run.user_id, version=claim.version)
        return "forgotten"

    def _record_replay(self, run: Run) -> None:
        """Record that a run for which a person waits has ended, and nothing else."""
        ended = replace(run.before, checked_at=self._clock(), replays=run.replays)
        user_state.write(self._store, ended, after=run.known)

    def _complete(self, run: Run, **result: Any) -> None:
        done = replace(
            run.before,
            status=user_state.SYNCED,
            user_principal_name=run.upn,
            display_name=run.display_name,
            reason="",
            detail="",
            checked_at=self._clock(),
            attempt=0,
            next_attempt_at=None,
            missing_since=None,
            left_since=None,
            out_of_scope_since=None,
            claim=None,
            last_error=None,
            replays=run.replays,
        )
        user_state.write(self._store, replace(done, **result), after=run.claim)
