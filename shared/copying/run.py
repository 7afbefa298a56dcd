"""One run for one user: its input, what it has found, and the state it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from shared.errors import (
    NoPhoto,
    NoProfile,
    OtherHost,
    OutOfScope,
    PhotoRefused,
    PictureKept,
    UnknownUser,
)
from shared.graph.client import Fetched, ScaledPhoto
from shared.messages.disposition import Done, Wait
from shared.microsoft365.http import LATE_WRITE
from shared.sharepoint.publisher import Plan, Removal
from shared.storage import user_state
from shared.storage.user_state import Claim, LastError, Stored, UserState
from shared.user import User
from shared.written_file import WrittenFile


class Source(Protocol):
    """Exchange, read through Graph; see GraphClient."""

    def photo_etag(self, user: str) -> str: ...
    def user(self, user: str) -> User: ...
    def user_and_photo(self, user_id: str) -> Fetched: ...
    def scaled_photo(self, user_id: str) -> ScaledPhoto: ...


class Target(Protocol):
    """SharePoint; see Publisher."""

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan: ...
    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]: ...
    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]: ...
    def plan_removal(self, user: User, picture_url: str) -> Removal: ...
    def plan_forgetting(self, leaver: User, picture_url: str) -> Removal: ...
    def plan_withdrawal(self, user: User, picture_url: str, *, exists: bool) -> Removal: ...
    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None: ...


@dataclass(frozen=True)
class Policy:
    """
    What the settings allow: `dry_run` writes nothing, `remove_when_gone` removes the picture of a
    user whose photo is gone.

    A user who has left is forgotten after `forget_after`; None means never.
    """

    dry_run: bool = False
    remove_when_gone: bool = True
    forget_after: timedelta | None = None


@dataclass
class Run:
    """
    One attempt at one user: what it has read and what it holds, so that its end can be recorded.

    `removal` allows it to remove a picture whose photo is gone. `thorough` makes it check
    SharePoint's files and profile even if nothing changed. `asked` means that a person or an audit
    waits for its end. `replace_chosen` also allows it to replace a picture that a person chose.
    `reads_ahead` makes it read the profile while it fetches the photo, before it knows whether the
    bytes have changed: for runs where they most likely have, and somebody waits. `seen` means that
    a photo existed at the last check; `etag` and `sha256` identify it and its bytes, and are empty
    if uncertain.
    """

    user_id: str
    force: bool
    by: str
    removal: bool = False
    thorough: bool = False
    asked: bool = False
    replace_chosen: bool = False
    reads_ahead: bool = False
    seen: bool = False
    etag: str = ""
    sha256: str = ""
    user: User | None = None
    state_read: bool = False
    known: Stored | None = None
    claim: Stored | None = None
    files_touched: bool = False

    @property
    def upn(self) -> str:
        """The user principal name: from Graph if this run has read it, else from the state."""
        return self.user.user_principal_name if self.user else self.before.user_principal_name

    @property
    def display_name(self) -> str:
        """The display name, from the same source."""
        return self.user.display_name if self.user else self.before.display_name

    @property
    def before(self) -> UserState:
        """The state as it was before this run."""
        return self.known.state if self.known else UserState(self.user_id)

    @property
    def last_known(self) -> User:
        """The user as recorded in the state, for users whom Graph does not know."""
        before = self.before
        return User(
            self.user_id,
            before.user_principal_name,
            account_enabled=False,
            is_guest=False,
            display_name=before.display_name,
        )

    @property
    def replays(self) -> tuple[str, ...]:
        """The state's list of replays after this run, which may itself be one."""
        return self.before.replays_with(self.by) if self.asked else self.before.replays

    def may_remove(self, policy: Policy, now: datetime) -> bool:
        """Whether to remove our picture because the photo is gone: never at the first check."""
        return self.removal and policy.remove_when_gone and self.before.may_lose_picture(now)

    def may_forget(self, policy: Policy, now: datetime) -> bool:
        """Whether to forget the user now: one who left long enough ago, on a sweep's order."""
        after = None if policy.dry_run else policy.forget_after
        return self.removal and after is not None and self.before.has_left_for(after, now)


def state_after(
    run: Run, end: Wait | Done, *, attempt: int, now: datetime, recipe: int
) -> UserState:
    """The state after a *run* by this *recipe* that did not bring the picture up to date."""
    before, left_since = run.before, _left_since(run, end, now)
    # SharePoint shows something else in these cases, so a photo that returns must be copied again.
    elsewhere = end.code in {NoProfile.code, PictureKept.code, OtherHost.code}
    start = before if left_since else before.known_again
    after = replace(
        start.released(files_touched=run.files_touched or elsewhere),
        user_principal_name=run.upn,
        display_name=run.display_name,
        reason=end.code,
        detail=end.sentence,
        picture_url=run.claim.state.picture_url if run.claim else before.picture_url,
        missing_since=None if run.seen else before.missing_since,
        left_since=left_since,
        out_of_scope_since=_out_of_scope_since(run, end, now),
        checked_at=now,
        attempt=attempt,
    )
    if end.unanswered and run.files_touched:
        # The request may still take effect, even after the next run has written a newer picture.
        # So the claim stays until that can no longer happen, whether this message returns or not.
        after = replace(after, claim=Claim(run.by, LATE_WRITE))
    if isinstance(end, Wait):
        again_at = now + timedelta(seconds=end.seconds)
        return replace(after, status=user_state.WAITING, next_attempt_at=again_at)
    if end.code == PhotoRefused.code:
        # A later recipe may read this photo. Without a hash, no run mistakes the files in
        # SharePoint for its renditions.
        after = replace(after.unknown, recipe=recipe)
    return _settled(after, run, end, now)


def _left_since(run: Run, end: Wait | Done, now: datetime) -> datetime | None:
    if end.code == UnknownUser.code:
        # A future time, from a wrong clock or typed by a person, would delay forgetting by as much.
        return min(run.before.left_since or now, now)
    knows_again = run.seen or run.user is not None
    return run.before.left_since if _leaves_open(end) and not knows_again else None


def _out_of_scope_since(run: Run, end: Wait | Done, now: datetime) -> datetime | None:
    if end.code == OutOfScope.code:
        return run.before.out_of_scope_since or now
    return run.before.out_of_scope_since if _leaves_open(end) else None


def _leaves_open(end: Wait | Done) -> bool:
    """Whether the run learned nothing about the user."""
    return isinstance(end, Wait) or end.status == user_state.FAILED


def _settled(after: UserState, run: Run, end: Done, now: datetime) -> UserState:
    error = LastError(end.code, end.sentence, now) if end.status == user_state.FAILED else None
    after = replace(
        after,
        status=end.status,
        source_etag=run.etag,
        next_attempt_at=None,
        last_error=error,
        replays=run.replays,
    )
    if end.status != user_state.FAILED:
        # No repair will follow: there is no photo, or the user is out of scope.
        after = replace(after, damage="")
    if end.code == NoPhoto.code and after.picture_url:
        return replace(after, missing_since=after.missing_since or now)
    return after
