"""
Checks one page of stored states, and compares it with what Graph said about everyone's photo.

Graph's list leaves out users who have left, but absence from it proves nothing (graph.md section 5:
an index that lags, a group that the user left). So each sweep takes some of the stored users in
rotation and asks Graph about each by id. Users whom Graph does not know go to the worker, which
asks again and records since when. The same step finds users who are out of scope, and perhaps not
listed for that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared import moments
from shared.errors import OutOfScope, PhotoSyncError, UnknownUser
from shared.storage.roster_entry import Entry, Leaf
from shared.storage.user_state import FAILED, LEFT, SYNCED
from shared.sweeping.snapshot import Snapshot
from shared.sweeping.sweep_page import PageResult
from shared.user import User

# Storage lists at most this many in one call (Azure Storage: List Blobs, documented).
STATES_A_PAGE = 5000
# Compare at most this many users at once, even if none has a state yet: each may be queued.
JUDGED_AT_ONCE = 5000


class Metadata(Protocol):
    """The listing half of the state store. Errors: ServiceDown, AccessDenied."""

    def leaf(self, token: str, size: int) -> Leaf: ...


class Comparison(Protocol):
    """See PageChecker.compare."""

    def compare(
        self,
        entries: Sequence[Entry],
        found: Mapping[str, str | PhotoSyncError],
        *,
        since: datetime,
    ) -> PageResult: ...


class Users(Protocol):
    """See GraphClient.users."""

    def users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]: ...


@dataclass(frozen=True)
class Progress:
    """
    How far a sweep has got. It has compared every user up to the id `listed_to`, and asked Graph
    about users up to `asked_to`; it may ask about `to_ask` more. It began at `since`.
    """

    listed_to: str
    asked_to: str
    to_ask: int
    since: datetime


@dataclass(frozen=True)
class StatePage:
    """
    The result of one page. `due` are users who left and are now due to be forgotten; `moved` holds
    (user id, why) for users whose state no longer matches the directory; `compared` is the result
    of comparing everyone's photo.

    Graph was asked about `asked` users, the last of them `asked_to`. `listed_to` is the last user
    who was compared; with `more`, the same page has users left. `next` is empty after the last
    page.
    """

    due: list[str]
    moved: list[tuple[str, str]]
    asked: int
    asked_to: str
    next: str
    compared: PageResult = PageResult(0, 0, 0, [], [])
    listed_to: str = ""
    more: bool = False


class StateChecker:
    """Compares stored states with what Graph says about the users. Threads may share it."""

    def __init__(
        self,
        metadata: Metadata,
        directory: Users,
        comparison: Comparison,
        *,
        check_scope: Callable[[User], None],
        forget_after: timedelta | None,
        clock: Callable[[], datetime],
        left_out: Callable[[Sequence[str]], Set[str]] = lambda ids: frozenset(),
    ) -> None:
        """
        No user is due if *forget_after* is None; *left_out* returns those of some users whom a
        group excludes, as far as a list of its members shows.
        """
        self._metadata = metadata
        self._directory = directory
        self._comparison = comparison
        self._check_scope = check_scope
        self._forget_after = forget_after
        self._clock = clock
        self._left_out = left_out

    def check(self, token: str, progress: Progress, snapshot: Snapshot) -> StatePage:
        """
        Decide about the states behind *token*, and about users without a state whose ids fall
        between theirs.

        Raises Throttled, ServiceDown, AccessDenied if a whole call fails.
        """
        leaf = self._metadata.leaf(token, STATES_A_PAGE)
        # A blob whose name is not in our form may sort anywhere.
        ours = [
            one for one in leaf.entries if progress.listed_to < one.user_id.lower() == one.user_id
        ]
        if leaf.next and not ours:
            return StatePage([], [], 0, progress.asked_to, leaf.next, listed_to=progress.listed_to)
        end = ours[-1].user_id if leaf.next else ""
        found = snapshot.between(progress.listed_to, end, JUDGED_AT_ONCE)
        entries = [each for each in ours if not found.up_to or each.user_id <= found.up_to]
        turn = [each for each in entries if each.user_id > progress.asked_to][: progress.to_ask]
        return StatePage(
            due=[each.user_id for each in entries if self._is_due(each)],
            moved=self._moved(entries, turn),
            asked=len(turn),
            asked_to=turn[-1].user_id if turn else progress.asked_to,
            next=leaf.next,
            compared=self._comparison.compare(entries, found.answers, since=progress.since),
            listed_to=found.up_to or progress.listed_to,
            more=found.up_to != end,
        )

    def _moved(self, entries: Sequence[Entry], turn: Sequence[Entry]) -> list[tuple[str, str]]:
        found = self._directory.users([each.user_id for each in turn]) if turn else {}
        moved = [(each.user_id, self._why_moved(each, found[each.user_id])) for each in turn]
        # Users added to the excluded group since then are found without a call of their own.
        maintained = [each.user_id for each in entries if _is_maintained(each)]
        left_out = self._left_out(maintained) - found.keys()
        moved += [(user_id, OutOfScope.code) for user_id in left_out]
        return [(user_id, why) for user_id, why in moved if why]

    def _is_due(self, entry: Entry) -> bool:
        if entry.status != LEFT or self._forget_after is None:
            return False
        gone_for = self._gone_for(entry)
        return gone_for is not None and gone_for >= self._forget_after

    def _gone_for(self, entry: Entry) -> timedelta | None:
        """How long ago a user left; None if that is unknown or in the future."""
        try:
            gone_for = self._clock() - moments.read(entry.left_since)
        except (ValueError, OverflowError):
            # Somebody may have edited it by hand.
            return None
        return gone_for if gone_for >= timedelta() else None

    def _why_moved(self, entry: Entry, found: User | PhotoSyncError) -> str:
        if isinstance(found, UnknownUser):
            # Without a time the user would never be due: let the worker record one.
            is_recorded = entry.status == LEFT and self._gone_for(entry) is not None
            return "" if is_recorded else "left"
        if isinstance(found, PhotoSyncError):
            # Without an answer nothing is known; the next rotation asks again.
            return ""
        if entry.status == LEFT:
            return "back"
        is_out = _is_maintained(entry) and self._is_out_of_scope(found)
        return OutOfScope.code if is_out else ""

    def _is_out_of_scope(self, user: User) -> bool:
        try:
            self._check_scope(user)
        except OutOfScope:
            return True
        return False


def _is_maintained(entry: Entry) -> bool:
    """Whether the state stands for a picture that we maintain, or for a failure to repair."""
    # A waiting user has a message in the queue; the other statuses mean that no picture is kept.
    return entry.status in {SYNCED, FAILED}
