"""
Which users a sweep sends to the worker. Pure: Exchange's answer, the stored state, the time.

A sweep decides as the worker would, but claims no user; the worker checks again under its claim,
and its decision is final.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from shared.errors import (
    DryRun,
    GiveUp,
    NoMailbox,
    NoPhoto,
    NoProfile,
    OtherHost,
    OutOfScope,
    PhotoRefused,
    PhotoSyncError,
    PictureKept,
    Settled,
    TryLater,
    UnknownUser,
)
from shared.storage import user_state
from shared.storage.user_state import UserState

# Check once a day what may change without a notification: a profile appears, a chosen picture is
# removed, a proxy returns a photo again in place of a page, a newer version can read a photo.
AGAIN_AFTER = timedelta(days=1)
# A message that is overdue by this much is lost.
OVERDUE_AFTER = timedelta(hours=1)
# No message is hidden for longer (Azure Storage: Put Message, documented): a state that waits until
# the year 9999 has no message.
LONGEST_HIDDEN = timedelta(days=7)
# If nearly all users of a page fail, the fault is the service's. A page of fewer users than the
# second number is judged together with all before it; of fewer than the third, nothing follows.
NEARLY_ALL, JUDGED_ALONE, FEWEST_TO_JUDGE = 0.9, 50, 10
# Ten million users in full pages, a million in short ones of a hundred: a list that keeps naming
# new pages ends here.
MOST_PAGES = 10_000
# More removals than this at once look like an outage of the source, not like people's changes.
BRAKE_USERS, BRAKE_SHARE = 20, 0.05


def why_check(
    known: UserState | None,
    found: str | PhotoSyncError,
    *,
    sizes: str,
    recipe: int,
    dry_run: bool,
    now: datetime,
) -> str:
    """
    Why the worker should check a user, in one word for the log; empty if it need not.

    *found* is the photo's etag, or the error that says why it is unknown.
    """
    if known is None:
        return "" if isinstance(found, Settled | TryLater) else "new"
    if is_pending(known, now) or isinstance(found, TryLater):
        # Without an answer nothing is known; `unanswered` records that.
        return ""
    if known.status == user_state.WAITING:
        return "overdue"
    if known.claim:
        return "unfinished"
    if isinstance(found, PhotoSyncError):
        return _why_without_photo(known, found, now)
    if known.covers(found, sizes=sizes, recipe=recipe):
        return ""
    if known.source_etag != found:
        return "changed"
    return _why_unchanged(known, recipe=recipe, dry_run=dry_run, now=now)


def is_gone(known: UserState | None, found: str | PhotoSyncError, now: datetime) -> bool:
    """
    Whether SharePoint still shows our picture, though a check long ago already missed the photo.
    """
    return (
        isinstance(found, NoPhoto)
        and known is not None
        and not is_pending(known, now)
        and known.may_lose_picture(now)
    )


def is_common_failure(failed: int, asked: int, *, failed_before: int, asked_before: int) -> bool:
    """Whether so many of a page's *asked* users failed that the service is at fault."""
    if not failed:
        return False
    if asked < JUDGED_ALONE:
        # The last page may hold a single user, whose mailbox fails.
        failed, asked = failed + failed_before, asked + asked_before
    return asked >= FEWEST_TO_JUDGE and failed >= NEARLY_ALL * asked


def fingerprint(path: str) -> str:
    """A short hash by which to recognize a page's path, of some hundred characters."""
    return hashlib.sha256(path.encode()).hexdigest()[:16]


def looks_like_an_outage(gone: int, managed: int) -> bool:
    """Whether more photos are *gone*, of all *managed*, than people would remove."""
    return gone > max(BRAKE_USERS, BRAKE_SHARE * managed)


def _is_late(known: UserState, now: datetime) -> bool:
    # A check cannot have happened in the future: when it happened is unknown.
    return known.checked_at is None or abs(now - known.checked_at) > AGAIN_AFTER


def is_pending(known: UserState, now: datetime) -> bool:
    """Whether a run is working on the user or a message waits; another would worsen an outage."""
    if known.claim and known.claim.is_live:
        return True
    # An expired claim may also belong to a waiting run that got no answer (see `copying.run`).
    next_attempt = known.next_attempt_at if known.status == user_state.WAITING else None
    return next_attempt is not None and -LONGEST_HIDDEN <= now - next_attempt <= OVERDUE_AFTER


def _why_without_photo(known: UserState, found: PhotoSyncError, now: datetime) -> str:
    if isinstance(found, GiveUp):
        # An unexpected answer about one user: the worker records it, for an admin to see.
        is_recorded = known.status == user_state.FAILED and known.reason == found.code
        return "" if is_recorded and not _is_late(known, now) else "unclear"
    if isinstance(found, UnknownUser) and known.reason == NoMailbox.code:
        # The worker has asked Graph: the user exists, as this list also says.
        return "again" if _is_late(known, now) else ""
    if not isinstance(found, NoPhoto):
        # The mailbox or the user is gone: the picture stays, and the state says so.
        return found.code if known.reason != found.code else ""
    if known.reason in {NoMailbox.code, UnknownUser.code}:
        return found.code
    if known.status == user_state.SYNCED or (known.picture_url and known.missing_since is None):
        return "gone"
    return "failed" if known.status == user_state.FAILED else ""


def _why_unchanged(known: UserState, *, recipe: int, dry_run: bool, now: datetime) -> str:
    """Why to check a photo again that was checked before and not copied."""
    match known.reason:
        case OutOfScope.code:
            return "in-scope"
        case UnknownUser.code:
            return "back"
        case DryRun.code:
            return "" if dry_run else "dry-run"
        case PhotoRefused.code:
            return "again" if known.recipe != recipe or _is_late(known, now) else ""
        case NoProfile.code | PictureKept.code | OtherHost.code | NoMailbox.code:
            return "again" if _is_late(known, now) else ""
    return "failed" if known.status == user_state.FAILED else "changed"
