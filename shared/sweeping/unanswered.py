"""
Records users about whose photo Graph gave no answer, though it answered about others.

Such an error concerns one mailbox. The sweep goes on without sending the user to the worker, which
would get the same error, and the next sweep asks again. Until then the state says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from shared.errors import Conflict, TryLater
from shared.storage import user_state
from shared.storage.user_state import LastError, Store, Stored, UserState
from shared.user import User


class UnansweredUser(NamedTuple):
    """A user, the state as it was read, and why Graph did not report the photo."""

    user: User
    stored: Stored | None
    error: TryLater


def record(store: Store, users: Sequence[UnansweredUser], clock: Callable[[], datetime]) -> None:
    """Record the error in the state of each of *users*. Raises ServiceDown."""
    for user, stored, error in users:
        before = stored.state if stored else UserState(user.id)
        sentence = f"{error} The next sweep asks again."
        now = clock()
        if (before.status, before.detail) == (user_state.FAILED, sentence):
            continue
        # Keep a claim that a dead run left behind: what SharePoint holds is in doubt.
        after = replace(
            # Graph has just listed the user.
            before.aged.known_again,
            user_principal_name=user.user_principal_name,
            display_name=user.display_name,
            status=user_state.FAILED,
            reason=error.code,
            detail=sentence,
            checked_at=now,
            next_attempt_at=None,
            last_error=LastError(error.code, sentence, now),
        )
        try:
            user_state.write(store, after, after=stored)
        except Conflict:
            # A run is working on this user and has newer facts, or the page was delivered twice.
            continue
