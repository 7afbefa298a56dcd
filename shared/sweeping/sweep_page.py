"""Looks at the photos of one page of users, and queues those whom the worker should look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.errors import OutOfScope, PhotoSyncError
from shared.storage.user_state import Stored
from shared.sweeping import sweep_rules
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
    """What one page came to; `queue` holds (user id, why)."""

    users: int
    in_scope: int
    managed: int
    queue: list[tuple[str, str]]
    gone: list[str]


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

        Raises Throttled, ServiceDown, AccessDenied; then nothing was decided.
        """
        ids = [user.id for user in users if self._is_in_scope(user)]
        found = self._photos.photo_etags(ids)
        stored = self._pool.map(self._states.read, ids)
        known = {
            user_id: each.state if each else None for user_id, each in zip(ids, stored, strict=True)
        }
        now = self._clock()
        gone = [
            user_id
            for user_id in ids
            if self._removes and sweep_rules.is_gone(known[user_id], found[user_id], now)
        ]
        reasons = {
            user_id: sweep_rules.why_look(
                known[user_id],
                found[user_id],
                sizes=self._sizes,
                recipe=self._recipe,
                dry_run=self._dry_run,
                now=now,
            )
            for user_id in ids
        }
        return PageResult(
            users=len(users),
            in_scope=len(ids),
            managed=sum(bool(state and state.picture_url) for state in known.values()),
            queue=[(user_id, why) for user_id, why in reasons.items() if why],
            gone=gone,
        )

    def _is_in_scope(self, user: User) -> bool:
        try:
            self._check_scope(user)
        except OutOfScope:
            return False
        return True
