"""Looks at the photos of one page of users, and queues those whom the worker should look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.errors import GiveUp, OutOfScope, PhotoSyncError, TryLater
from shared.storage.user_state import Stored, UserState
from shared.sweeping import sweep_rules
from shared.sweeping.unanswered import UnansweredUser
from shared.user import User

STATES_AT_ONCE = 8


class Photos(Protocol):
    """See GraphClient.photo_etags."""

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]: ...


class States(Protocol):
    """The reading half of a Store."""

    def read(self, user_id: str) -> Stored | None: ...


@dataclass(frozen=True)
class PageResult:
    """
    What one page came to; `queue` holds (user id, why).

    `unanswered` are users whose photo could not be asked about now; `errors` are theirs and those
    of users about whom Graph gave an unexpected answer.
    """

    users: int
    in_scope: int
    managed: int
    queue: list[tuple[str, str]]
    gone: list[str]
    unanswered: list[UnansweredUser] = field(default_factory=list)
    errors: list[PhotoSyncError] = field(default_factory=list)


class PageLook:
    """Compares what Exchange has with what we remember. Threads may share it."""

    def __init__(
        self,
        photos: Photos,
        states: States,
        *,
        check_scope: Callable[[User], None],
        sizes: str,
        recipe: int,
        dry_run: bool,
        removes: bool,
        clock: Callable[[], datetime],
    ) -> None:
        self._photos = photos
        self._states = states
        self._check_scope = check_scope
        self._sizes = sizes
        self._recipe = recipe
        self._dry_run = dry_run
        self._removes = removes
        self._clock = clock
        self._pool = ThreadPoolExecutor(STATES_AT_ONCE, thread_name_prefix="states")

    def look_at(self, users: Sequence[User]) -> PageResult:
        """
        Decide about every user of a page. Changes nothing.

        Raises Throttled, ServiceDown, AccessDenied where a whole call fails; then nothing was
        decided.
        """
        # By id: Graph may name somebody twice, and a batch may not.
        asked = {user.id: user for user in users if self._is_in_scope(user)}
        ids, asked_at = list(asked), self._clock()
        found = self._photos.photo_etags(ids)
        stored = dict(zip(ids, self._pool.map(self._states.read, ids), strict=True))
        known = {user_id: each.state if each else None for user_id, each in stored.items()}
        now = self._clock()
        reasons = {user_id: self._why_look(known[user_id], found[user_id], now) for user_id in ids}
        return PageResult(
            users=len(users),
            in_scope=len(ids),
            managed=sum(bool(state and state.picture_url) for state in known.values()),
            queue=[(user_id, why) for user_id, why in reasons.items() if why],
            gone=[
                user_id
                for user_id in ids
                if self._removes and sweep_rules.is_gone(known[user_id], found[user_id], now)
            ],
            unanswered=[
                UnansweredUser(asked[user_id], stored[user_id], error)
                for user_id, error in found.items()
                if isinstance(error, TryLater)
                and not self._is_looked_after(known[user_id], asked_at, now)
            ],
            errors=[error for error in found.values() if isinstance(error, TryLater | GiveUp)],
        )

    def _why_look(self, known: UserState | None, found: str | PhotoSyncError, now: datetime) -> str:
        return sweep_rules.why_look(
            known,
            found,
            sizes=self._sizes,
            recipe=self._recipe,
            dry_run=self._dry_run,
            now=now,
        )

    def _is_looked_after(self, known: UserState | None, asked_at: datetime, now: datetime) -> bool:
        """Whether a run is at work on this user, or knows better since Graph was *asked_at*."""
        if known is None:
            return False
        return sweep_rules.is_in_hand(known, now) or (
            known.checked_at is not None
            # A page takes minutes at most: what is later than that nobody looked at.
            and asked_at <= known.checked_at <= now + sweep_rules.OVERDUE_AFTER
        )

    def _is_in_scope(self, user: User) -> bool:
        try:
            self._check_scope(user)
        except OutOfScope:
            return False
        return True
