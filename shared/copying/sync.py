"""
Brings one user's SharePoint picture up to date: the order of steps that is the whole argument.

    etag = photo metadata from Graph          1  the source first
    known = state blob, with its version      2  the state second
    known.claim is live      -> ClaimHeld     3  somebody is copying this user now
    known covers etag        -> unchanged        two calls in all: the usual case
    known tells the absence  -> the same         also two; else 1 is asked again after 4
    no such user, no state   -> the same         nothing is written about an id that is nobody's
    write a claim over known                  4  conditional; lost -> Conflict
    user, photo, its etag    from Graph       5  the bytes after the claim, the etag after them;
                                                 where a change is likely SharePoint's profile is
                                                 read meanwhile, by the name that the state has
    known holds their hash   -> unchanged        recorded as in step 7; of a thorough run not before
                                                 SharePoint's profile and files were looked at
    the photo scaled down, its etag again        only of one that is too large to be read; recorded
                                                 is the hash of the large one
    files, properties, timestamp              6  each renews a claim that runs short before it
                                                 begins; where they will be is in the claim before
    write the result over the claim           7  conditional; drops the claim; with the etag of
                                                 step 1 if step 5 read the same, else with none

Whoever finds the state unclaimed at 2 has read the source before, so a copier who claims later
reads the source later still and sees at least as new a photo. With 1 and 2 swapped, a user who
changes a photo back while another copy is in flight is skipped and the wrong picture stays. No
newer etag than that of step 1 is recorded, for the same reason; and that one only if the photo had
it still after the bytes were read, since that etags never return is only reported (graph.md section
1). What no look can tell is a photo replaced before its bytes are read and put back before the next
request of the same batch.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.at_once import AtOnce
from shared.copying.held_claim import HeldClaim
from shared.copying.run import Policy, Run, Source, Target, state_after
from shared.errors import (
    ClaimHeld,
    DryRun,
    GiveUp,
    Nobody,
    NoMailbox,
    NoPhoto,
    PhotoSyncError,
    PictureKept,
    Settled,
    UnknownUser,
)
from shared.graph.client import Fetched
from shared.messages.fates import Done, Wait, error_of_two
from shared.pictures.recipe import Recipe
from shared.sharepoint.publisher import Plan, Removal
from shared.storage import user_state
from shared.storage.user_state import Store
from shared.user import User
from shared.written_file import WrittenFile


class Sync:
    """Copies photos. Threads may share it: everything about one run is in its Run."""

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
        Copy the photo if it differs. Returns "synced" or "unchanged", or raises why not; of a
        picture that is taken back "removed", and of who has left for good "forgotten".

        *run* holds afterwards what was seen, claimed and touched; `record` needs it on an error.
        """
        found = self._look(run)  # 1
        self._recall(run)  # 2, 3
        if self._is_known(run, found):
            if run.asked:
                self._note(run)
            return "unchanged"
        claim = self._claim(run)  # 4
        if isinstance(found, PhotoSyncError):
            # Another run may have copied a new photo since: only what is found under the claim
            # may be written over what that run recorded.
            found = self._look(run)
        if isinstance(found, PhotoSyncError):
            return self._without_photo(run, found, claim)
        try:
            return self._copy(run, found, claim)
        except UnknownUser as finding:
            raise self._look_for(run) from finding

    def _without_photo(self, run: Run, found: PhotoSyncError, claim: HeldClaim) -> str:
        """What becomes of a picture without a photo, of which *found* says why; or raise that."""
        if isinstance(found, NoPhoto) and self._may_remove(run):
            return self._remove(run, claim)
        if isinstance(found, UnknownUser):
            found = self._look_for(run)
        if isinstance(found, UnknownUser) and self._may_forget(run):
            return self._forget(run, claim)
        if isinstance(found, NoPhoto) and not run.upn:
            # Asked once, so that an admin finds whoever has no photo by name.
            run.user = self._source.user(run.user_id)
        raise found

    def _copy(self, run: Run, etag: str, claim: HeldClaim) -> str:
        fetched, plan_made = self._fetch(run)  # 5
        run.user, run.etag = fetched.user, self._unmoved(etag, fetched.etag)
        self._check_scope(fetched.user)
        run.sha256 = hashlib.sha256(fetched.photo).hexdigest()
        held = self._is_held(run, run.sha256)
        if held and not run.thorough:
            self._complete(run, sha256=run.sha256, source_etag=run.etag)
            return "unchanged"
        plan = plan_made()
        if held and plan.is_shown and (files := self._intact(run, fetched, plan)):
            # With the address as the profile spells it, or each audit finds it changed.
            found = {"picture_url": plan.picture_url, "files": files, "damage": ""}
            self._complete(run, sha256=run.sha256, source_etag=run.etag, **found)
            return "unchanged"
        renditions = self._renditions(run, fetched)
        if self._policy.dry_run:
            raise DryRun(f"DRY_RUN is on; it would {plan}.")
        # In case this run dies before it is there.
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
        The user and the photo; and the plan, for when it is needed, or what keeps from making one.

        What was read ahead counts only if Graph still knows the user by the name that it was
        read by: after a rename that profile may be somebody else's.
        """
        known = run.last_known
        fetch = functools.partial(self._source.user_and_photo, run.user_id)
        if not known.user_principal_name or not (run.looks_ahead or run.thorough or run.force):
            fetched = fetch()
            return fetched, functools.partial(self._plan, run, fetched.user)
        photo, ahead = self._at_once(fetch, functools.partial(self._plan, run, known))
        if error := error_of_two(photo, ahead):
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
        """SharePoint's files if all of them are those of the photo; none if any is not."""
        wanted = run.before.files
        if not wanted:
            # An older version has written them, or SharePoint had no answer for one that died.
            wanted = tuple(map(WrittenFile.of, self._renditions(run, fetched)))
        found = self._target.find(plan, wanted)
        files = tuple(file for file in found if file)
        return files if len(files) == len(found) else ()

    def _scaled(self, run: Run, fetched: Fetched) -> bytes:
        """A rendition of the photo that was *fetched*, as far as etags can tell."""
        scaled = self._source.scaled_photo(run.user_id)
        if not scaled.etag or scaled.etag != fetched.etag:
            # It may be of another photo. Without a hash the next run copies once more; with this
            # one it would leave the wrong picture there if the photo were put back.
            run.sha256 = run.etag = ""
        return scaled.photo

    def take_back(self, run: Run) -> str:
        """
        Take our picture back for good and forget the user. Returns "forgotten", or raises why not.

        It asks neither for the photo nor for the scope: whoever shows a picture of ours is meant,
        also somebody whom Graph or SharePoint does not know any more. *run* as above.
        """
        self._recall(run)
        held = run.known
        if held is not None and run.before.picture_url:
            claim = self._claim(run)
            removal = self._withdrawal(run)
            if self._policy.dry_run:
                raise DryRun(f"DRY_RUN is on; it would {removal}.")
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
        Write how a run ended that raised, and give its claim back. Raises Conflict, ServiceDown.

        A wait before anything was claimed leaves the state as it was: an outage must not cost a
        write for every message. A claim held by somebody else is never touched. An end that the
        state tells already is written only if a person asked for the run.
        """
        if isinstance(end, Wait) and not run.claim:
            return
        if not run.recalled:
            run.known = self._store.read(run.user_id)
        if not run.claim and (run.before.claimed_for or _is_nobodys(run, end)):
            return
        recipe = self._recipe.version
        after = state_after(run, end, attempt=attempt, now=self._clock(), recipe=recipe)
        if run.claim or not after.says_the_same(run.before):
            user_state.write(self._store, after, after=run.claim or run.known)

    def _look(self, run: Run) -> str | PhotoSyncError:
        """The photo's etag, or why there is none: that too is weighed after the state is read."""
        run.seen, run.etag = False, ""
        try:
            run.etag = self._source.photo_etag(run.user_id)
        except (Settled, GiveUp) as finding:
            return finding
        run.seen = True
        return run.etag

    def _look_for(self, run: Run) -> PhotoSyncError:
        """Why there is no photo of somebody unknown to whoever keeps it: Graph itself is asked."""
        try:
            run.user = self._source.user(run.user_id)
        except UnknownUser as finding:
            return finding
        return NoMailbox("Microsoft Graph knows the user, and not yet a mailbox or a photo.")

    def _recall(self, run: Run) -> None:
        run.known = self._store.read(run.user_id)
        run.recalled = True
        # A profile goes with its user. Of who comes back it may be there, or a new one without
        # the picture (sharepoint.md section 3); of who was out of scope nobody looked at it. And
        # what a dry run has told of is yet to be done, whatever the hash says.
        before = run.before
        is_back = before.left_since is not None or before.out_of_scope_since is not None
        doubted = is_back or before.reason == DryRun.code
        run.thorough = run.thorough or doubted
        seconds = run.before.claimed_for
        if seconds:
            raise ClaimHeld("Another run is copying this user right now.", over_in=seconds)

    def _is_known(self, run: Run, found: str | PhotoSyncError) -> bool:
        """Whether SharePoint shows the photo. Raises what was *found* if the state says it too."""
        if isinstance(found, NoPhoto) and run.before.status == user_state.REMOVED:
            return run.before.claim is None
        if isinstance(found, NoPhoto) and self._may_remove(run):
            return False
        if isinstance(found, UnknownUser) and self._may_forget(run):
            return False
        if isinstance(found, UnknownUser) and run.known is None:
            # Anybody can make up ids, and each would leave a blob for long.
            raise Nobody(str(found))
        if isinstance(found, PhotoSyncError):
            status = found.status if isinstance(found, Settled) else user_state.FAILED
            if run.before.tells(status, str(found)):
                raise found
            return False
        looks = run.force or run.thorough
        recipe = self._recipe
        return not looks and run.before.covers(found, sizes=recipe.sizes, recipe=recipe.version)

    def _is_held(self, run: Run, sha256: str) -> bool:
        recipe = self._recipe
        return not run.force and run.before.holds(sha256, sizes=recipe.sizes, recipe=recipe.version)

    def _unmoved(self, before: str, after: str) -> str:
        """The etag to record, none if it is not sure that the bytes are of the photo it names."""
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
            raise DryRun(f"DRY_RUN is on; it would {removal}.")
        run.files_touched = True
        self._target.remove(removal, before_write=claim.before_write)
        self._complete(
            run,
            status=user_state.SKIPPED if removal.kept else user_state.REMOVED,
            reason=PictureKept.code if removal.kept else "",
            detail=removal.kept
            or "The photo is gone from Exchange, and its picture from SharePoint.",
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
        Take back what is surely ours, and last of all the state, which alone knows of it.

        A run that dies in between leaves a state that says the same as before: whoever takes up
        its message, or the next sweep's, does it again, and what is gone already is no error.
        """
        before = run.before
        if before.picture_url:
            leaver = User(run.user_id, before.user_principal_name, False, False)
            plan = self._target.plan_forgetting(leaver, before.picture_url)
            run.files_touched = True
            self._target.remove(plan, before_write=claim.before_write)
        self._store.delete(run.user_id, version=claim.version)
        return "forgotten"

    def _note(self, run: Run) -> None:
        """Write down that a run has ended which a person waits for, and nothing else."""
        noted = replace(run.before, checked_at=self._clock(), replays=run.replays)
        user_state.write(self._store, noted, after=run.known)

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


def _is_nobodys(run: Run, end: Wait | Done) -> bool:
    """Whether Graph knows no such user and nothing was known before: then nothing is kept."""
    return run.known is None and end.code == Nobody.code
