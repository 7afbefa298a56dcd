"""
Records users about whose photo nothing could be learnt, though others were answered.

Such an error is one mailbox's: the sweep goes on, nobody is sent to the worker, who would ask the
same in vain, and the next sweep asks again. Meanwhile the state says why.
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
    """A user, the state as it was read, and why Graph did not tell of the photo."""

    user: User
    stored: Stored | None
    error: TryLater


def record(store: Store, users: Sequence[UnansweredUser], clock: Callable[[], datetime]) -> None:
    """Write into the state of each of *users* what is in the way. Raises ServiceDown."""
    for user, stored, error in users:
        before = stored.state if stored else UserState(user.id)
        sentence = f"{error} The next sweep asks again."
        now = clock()
        if (before.status, before.detail) == (user_state.FAILED, sentence):
            continue
        # A claim that a run has left behind stays: its files are in doubt.
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
            # A run is at work on this very user and knows better, or the page came twice.
            continue
