"""Which users a sweep sends to the worker, and whose photo is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.errors import NoMailbox, NoPhoto, PhotoSyncError, Refused, Throttled, UnknownUser
from shared.storage.user_state import (
    FAILED,
    LEFT,
    NO_PHOTO,
    REMOVED,
    SKIPPED,
    SYNCED,
    WAITING,
    Claim,
    UserState,
)
from shared.sweeping import sweep_rules
from tests.shared.sweeping.sweeping_alone import MINUTE, NOON

HOUR, WEEK = timedelta(hours=1), timedelta(days=7)
# A check is repeated after a day, and a photo is gone when two checks ten minutes apart miss it.
RECENT, LATE = NOON - 24 * HOUR, NOON - 24 * HOUR - MINUTE
MISSED, FUTURE = NOON - 10 * MINUTE, NOON.replace(year=9998)
NONE, ELSEWHERE, ODD = NoPhoto("No photo."), NoMailbox("No mailbox."), Refused("Odd.")
SLOW, UNKNOWN = Throttled("Slow down."), UnknownUser("No such user.")
LIVE, DEAD = Claim("b", 60.0, left=1.0), Claim("b", 60.0)
GOOD = UserState(
    "a",
    status=SYNCED,
    source_etag="e1",
    sha256="h",
    picture_url="u",
    sizes="s",
    recipe=1,
    checked_at=RECENT,
)
GONE = replace(GOOD, status=NO_PHOTO, source_etag="", missing_since=MISSED)


def why(known: UserState | None, found: str | PhotoSyncError, *, dry_run: bool = False) -> str:
    return sweep_rules.why_check(known, found, sizes="s", recipe=1, dry_run=dry_run, now=NOON)


def state(status: str, reason: str = "", **fields: Any) -> UserState:
    return replace(GOOD, status=status, reason=reason, **fields)


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (None, "e1", "new"),
        (None, NONE, ""),
        (None, ODD, "new"),
        (GOOD, "e1", ""),
        (GOOD, "e2", "changed"),
        (GOOD, NONE, "gone"),
        (None, SLOW, ""),
        (GOOD, ELSEWHERE, "no-mailbox"),
        (GONE, ELSEWHERE, "no-mailbox"),
        (state(SKIPPED, "no-mailbox"), ELSEWHERE, ""),
        (GOOD, UNKNOWN, "unknown-user"),
        (state(LEFT, "unknown-user"), UNKNOWN, ""),
        (state(LEFT, "unknown-user"), "e1", "back"),
        (state(LEFT, "unknown-user"), "e2", "changed"),
        (state(LEFT, "unknown-user"), NONE, "no-photo"),
        (state(SKIPPED, "no-mailbox"), UNKNOWN, ""),
        (state(SKIPPED, "no-mailbox", checked_at=LATE), UNKNOWN, "again"),
        (GOOD, SLOW, ""),
        (state(WAITING), SLOW, ""),
        (state(SKIPPED, "no-mailbox", picture_url=""), NONE, "no-photo"),
        (GOOD, ODD, "unclear"),
        (replace(GOOD, sizes="other"), "e1", "changed"),
        (replace(GOOD, source_etag=""), "", "changed"),
        (GONE, NONE, ""),
        (GONE, "e1", "changed"),
        (replace(GONE, missing_since=None), NONE, "gone"),
        (replace(GOOD, missing_since=NOON), NONE, "gone"),
        (replace(GONE, status=REMOVED, picture_url=""), NONE, ""),
        (replace(GONE, status=REMOVED, picture_url=""), "e1", "changed"),
        (state(FAILED), "e1", "failed"),
        (state(FAILED, picture_url=""), NONE, "failed"),
        (state(FAILED, "refused"), ODD, ""),
        (state(SKIPPED, "refused"), ODD, "unclear"),
        (state(FAILED, next_attempt_at=NOON), "e2", "changed"),
        (state(FAILED, "throttled"), ODD, "unclear"),
        (state(FAILED), SLOW, ""),
        (state(FAILED, "refused", checked_at=None), ODD, "unclear"),
        (state(FAILED, "photo-refused"), "e1", ""),
        (state(FAILED, "photo-refused", checked_at=LATE), "e1", "again"),
        (state(FAILED, "photo-refused", recipe=0), "e1", "again"),
        (state(FAILED, "photo-refused"), "e2", "changed"),
        (state(SKIPPED, "out-of-scope"), "e1", "in-scope"),
        (state(SKIPPED, "no-profile"), "e1", ""),
        (state(SKIPPED, "no-profile", checked_at=LATE), "e1", "again"),
        (state(SKIPPED, "other-host"), "e1", ""),
        (state(SKIPPED, "other-host", checked_at=LATE), "e1", "again"),
        # A check in the future, beyond any clock's error, counts as none.
        (state(SKIPPED, "picture-kept", sizes="other", checked_at=NOON + HOUR), "e1", ""),
        (state(SKIPPED, "picture-kept", sizes="other", checked_at=FUTURE), "e1", "again"),
        # A live claim is left alone; an expired one belongs to a run that died.
        (replace(GOOD, claim=DEAD), SLOW, ""),
        (replace(GOOD, claim=LIVE), "e2", ""),
        (replace(GOOD, claim=DEAD), "e1", "unfinished"),
        # No message is hidden for longer than seven days.
        (state(WAITING, next_attempt_at=NOON + WEEK), "e2", ""),
        (state(WAITING, next_attempt_at=NOON + WEEK + MINUTE), "e2", "overdue"),
        (state(WAITING, next_attempt_at=FUTURE), "e2", "overdue"),
    ],
)
def test_why_check(known: UserState | None, found: str | PhotoSyncError, expected: str):
    """Users who differ, are new or have failed are checked, and no others."""
    assert why(known, found) == expected


def test_end_of_a_dry_run():
    """Once DRY_RUN is off, what it would have written is checked again."""
    known = state(SKIPPED, "dry-run")

    assert (why(known, "e1", dry_run=True), why(known, "e1")) == ("", "dry-run")


@pytest.mark.parametrize(
    ("next_attempt", "expected"),
    [(NOON + HOUR, ""), (NOON - HOUR, ""), (NOON - HOUR - MINUTE, "overdue"), (None, "overdue")],
)
@pytest.mark.parametrize("claim", [None, DEAD])
def test_waiting_message_is_left_alone(next_attempt, expected: str, claim: Claim | None):
    """A waiting user gets no second message until the first is lost, even in a long outage."""
    known = state(WAITING, next_attempt_at=next_attempt, claim=claim)
    missing = replace(known, missing_since=GONE.missing_since)

    assert why(known, "e2") == expected
    assert sweep_rules.is_gone(missing, NONE, NOON) is bool(expected)


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        (GONE, NONE, True),
        (replace(GONE, missing_since=MISSED + MINUTE), NONE, False),
        (replace(GONE, missing_since=None), NONE, False),
        (replace(GONE, picture_url=""), NONE, False),
        (replace(GONE, claim=LIVE), NONE, False),
        *((GONE, found, False) for found in (ELSEWHERE, ODD, SLOW, "e1")),
        (None, NONE, False),
    ],
)
def test_is_gone(known: UserState | None, found: str | PhotoSyncError, expected: bool):
    """A photo is gone if two checks, ten minutes apart, miss it, and the picture is ours."""
    assert sweep_rules.is_gone(known, found, NOON) is expected


def test_fingerprint():
    """It is the same in each version: the log of a running sweep has one."""
    assert sweep_rules.fingerprint("") == "e3b0c44298fc1c14"


@pytest.mark.parametrize(
    ("gone", "managed", "expected"),
    [(20, 20, False), (21, 21, True), (50, 1000, False), (51, 1000, True)],
)
def test_brake(gone: int, managed: int, expected: bool):
    """More than 20 and more than 5 % of all pictures look like an outage."""
    assert sweep_rules.looks_like_an_outage(gone, managed) is expected


@pytest.mark.parametrize(
    ("failed", "asked", "before", "expected"),
    [
        (0, 100, (0, 0), False),
        (10, 1000, (0, 0), False),
        (89, 100, (0, 0), False),
        (9, 10, (0, 50_000), False),
        (10, 10, (0, 0), True),
        (90, 100, (0, 0), True),
        (90, 100, (0, 900), True),
        (45, 50, (0, 50_000), True),
        (44, 49, (0, 50_000), False),
        (9, 9, (9, 9), True),
        (1, 1, (0, 0), False),
        (9, 9, (0, 0), False),
        (1, 1, (0, 20), False),
        (9, 9, (0, 1), True),
        (0, 1, (9, 9), False),
        (0, 0, (0, 0), False),
    ],
    ids=str,
)
def test_common_failure(failed: int, asked: int, before: tuple[int, int], expected: bool):
    """If nearly all users of a page failed, so did the service; small pages count with others."""
    failed_before, asked_before = before
    counts = {"failed_before": failed_before, "asked_before": asked_before}

    assert sweep_rules.is_common_failure(failed, asked, **counts) is expected
