"""
Checks users: first, page by page, what Graph says about their photos, and then what is stored about
them. For most users a listing is enough; the state itself is read only for those who differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.errors import Conflict, GiveUp, OutOfScope, PhotoSyncError, TryLater
from shared.storage import cover
from shared.storage.roster_entry import Entry
from shared.storage.user_state import Stored, UserState
from shared.sweeping import snapshot, sweep_rules
from shared.sweeping.unanswered import UnansweredUser
from shared.user import User

STATES_AT_ONCE = 8


class Photos(Protocol):
    """See GraphClient.photo_etags."""

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]: ...


class States(Protocol):
    """See Store."""

    def read(self, user_id: str) -> Stored | None: ...

    def replace(self, state: UserState, *, version: str) -> str: ...


@dataclass(frozen=True)
class PageResult:
    """
    The result of one page; `queue` holds (user id, why).

    `found` is what Graph said about users who are judged after Graph was asked about everyone.
    `unanswered` are users whose photo Graph could not report now; `errors` are theirs and those of
    users about whom Graph gave an unexpected answer.
    """

    users: int
    in_scope: int
    managed: int
    queue: list[tuple[str, str]]
    gone: list[str]
    found: dict[str, str | PhotoSyncError] = field(default_factory=dict)
    unanswered: list[UnansweredUser] = field(default_factory=list)
    errors: list[PhotoSyncError] = field(default_factory=list)


class PageChecker:
    """Compares what Exchange has with what we have stored. Threads may share it."""

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

    def check(self, users: Sequence[User]) -> PageResult:
        """
        Ask for the photo of every user of a page; decide about those for whom Graph gave no answer
        or an unexpected one. Changes nothing.

        Raises Throttled, ServiceDown, AccessDenied if a whole call fails; then nothing was decided.
        """
        # By id: Graph may list a user twice, but a batch must not.
        asked = {user.id: user for user in users if self._is_in_scope(user)}
        asked_at = self._clock()
        found = self._photos.photo_etags(list(asked))
        odd = {each: answer for each, answer in found.items() if not snapshot.can_hold(answer)}
        stored = self._read(list(odd))
        known = {each: one.state if one else None for each, one in stored.items()}
        now = self._clock()
        reasons = [(each, self._why_check(known[each], odd[each], now)) for each in odd]
        return PageResult(
            users=len(users),
            in_scope=len(asked),
            managed=sum(bool(state and state.picture_url) for state in known.values()),
            queue=[(user_id, why) for user_id, why in reasons if why],
            gone=[],
            found={each: answer for each, answer in found.items() if each not in odd},
            unanswered=[
                UnansweredUser(asked[user_id], stored[user_id], error)
                for user_id, error in odd.items()
                if isinstance(error, TryLater)
                and not self._has_newer_facts(known[user_id], asked_at, now)
            ],
            errors=[error for error in found.values() if isinstance(error, TryLater | GiveUp)],
        )

    def compare(
        self,
        entries: Sequence[Entry],
        found: Mapping[str, str | PhotoSyncError],
        *,
        since: datetime,
    ) -> PageResult:
        """
        Decide about every user for whom Graph has *found* something, at or after *since*; etags are
        marks. *entries* are those of them who have a state, listed after that.

        Rewrites the blob of a user who needs no check if an older version wrote it, so that the
        next listing is enough. Raises ServiceDown, AccessDenied.
        """
        listed = {each.user_id: each for each in entries if each.user_id in found}
        right = {
            user_id
            for user_id, each in listed.items()
            if self._needs_no_check(each.outline, found[user_id], since)
        }
        stored = self._read([each for each in listed if each not in right])
        known = {each: cover.marked(one.state) if one else None for each, one in stored.items()}
        now = self._clock()
        reasons = [
            (each, self._why_check(known.get(each), answer, now))
            for each, answer in found.items()
            if each not in right
        ]
        queue = [(user_id, why) for user_id, why in reasons if why]
        gone = [each for each in known if self._is_gone(known[each], found[each], since)]
        outdated = {each for each in stored if not listed[each].outlined}
        self._rewrite([stored[each] for each in outdated.difference(dict(queue), gone)])
        managed = sum(cover.has_picture(listed[each].outlined) for each in right)
        managed += sum(bool(state and state.picture_url) for state in known.values())
        return PageResult(0, 0, managed=managed, queue=queue, gone=gone)

    def _needs_no_check(
        self, known: UserState | None, found: str | PhotoSyncError, since: datetime
    ) -> bool:
        """Whether a listing is enough to know that the user needs no check."""
        if known is None or self._is_gone(known, found, since):
            return False
        return not self._why_check(known, found, self._clock())

    def _is_gone(
        self, known: UserState | None, found: str | PhotoSyncError, since: datetime
    ) -> bool:
        # The second check is this sweep's own: its start counts, not when it lists the states.
        return self._removes and sweep_rules.is_gone(known, found, since)

    def _read(self, user_ids: Sequence[str]) -> dict[str, Stored | None]:
        return dict(zip(user_ids, self._pool.map(self._states.read, user_ids), strict=True))

    def _rewrite(self, stored: Sequence[Stored | None]) -> None:
        """Rewrite these states, so that a listing describes them."""

        def write(one: Stored | None) -> None:
            # Only its holder writes a claimed state; another run's write has described the user.
            if one and not one.state.claim:
                with suppress(Conflict):
                    self._states.replace(one.state, version=one.version)

        list(self._pool.map(write, stored))

    def _why_check(
        self, known: UserState | None, found: str | PhotoSyncError, now: datetime
    ) -> str:
        return sweep_rules.why_check(
            known,
            found,
            sizes=self._sizes,
            recipe=self._recipe,
            dry_run=self._dry_run,
            now=now,
        )

    def _has_newer_facts(self, known: UserState | None, asked_at: datetime, now: datetime) -> bool:
        """Whether a run is working on this user, or has checked it since Graph was *asked_at*."""
        if known is None:
            return False
        return sweep_rules.is_pending(known, now) or (
            known.checked_at is not None
            # A page takes minutes at most: no check can have happened later than that.
            and asked_at <= known.checked_at <= now + sweep_rules.OVERDUE_AFTER
        )

    def _is_in_scope(self, user: User) -> bool:
        try:
            self._check_scope(user)
        except OutOfScope:
            return False
        return True
