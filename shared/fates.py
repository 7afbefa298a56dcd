"""
What an error means for the message and for the user's state: the one place that decides.

| error    | message                           | state                                 |
| TryLater | a new one, delayed, attempt + 1   | as it was; `waiting` if work began    |
| Settled  | done                              | the error's status and sentence       |
| GiveUp   | done                              | `failed`, with the sentence           |
| others   | raised: the host retries, then the poison queue | `failed`, by park_poison |

A TryLater that has gone on for a day since the message was first queued becomes a GiveUp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.errors import GiveUp, PhotoSyncError, Settled, TryLater, Unanswered
from shared.messages import SyncMessage
from shared.patience import LONGEST_WAIT, backoff
from shared.state import FAILED

GIVE_UP_AFTER = LONGEST_WAIT


@dataclass(frozen=True)
class Wait:
    """
    Queue the message again in `seconds`; `unanswered` if a request may be carried out yet.

    `service` is who makes us wait, as the error has it.
    """

    seconds: float
    code: str
    sentence: str
    unanswered: bool = False
    service: str = ""


@dataclass(frozen=True)
class Done:
    """The message is done and the state says so. `code` is the error's, the rest as in Wait."""

    status: str
    code: str
    sentence: str
    unanswered: bool = False


def fate(
    error: PhotoSyncError,
    message: SyncMessage,
    *,
    now: datetime,
    jitter: Callable[[], float],
) -> Wait | Done:
    """Decide on *error*; SettingsError is raised again, for nobody but a person can mend it."""
    match error:
        case TryLater() if now - message.first_queued_at < GIVE_UP_AFTER:
            return wait(error, message, jitter=jitter)
        case TryLater():
            sentence = f"Gave up after a day of waiting. {error}"
            return Done(FAILED, "gave-up", sentence, isinstance(error, Unanswered))
        case Settled():
            return Done(error.status, error.code, str(error))
        case GiveUp():
            return Done(FAILED, error.code, str(error))
        case _:
            raise error


def wait(error: TryLater, message: SyncMessage, *, jitter: Callable[[], float]) -> Wait:
    """The wait that *error* asks for, or the next step of an exponential one."""
    seconds = backoff(message.attempt, asked=error.retry_after, jitter=jitter)
    if error.over_in is not None:
        seconds = min(seconds, error.over_in + 1 + jitter())
    unanswered = isinstance(error, Unanswered)
    return Wait(seconds, error.code, str(error), unanswered, error.service)
