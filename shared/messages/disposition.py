"""
Decides, in one place, what an error means for a message of either queue.

| error    | message                           | state of a user                       |
| TryLater | a new one, delayed, attempt + 1   | unchanged; `waiting` if work began    |
| Settled  | done                              | the error's status and sentence       |
| GiveUp   | done                              | `failed`, with the sentence           |
| others   | raised: the host retries, then the poison queue | `failed`, by `parking` |

A TryLater that has gone on for a day since the message was first queued becomes a GiveUp.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.backoff import LONGEST_WAIT, backoff
from shared.errors import GiveUp, PhotoSyncError, Settled, TryLater, Unanswered


@dataclass(frozen=True)
class Wait:
    """
    Queue the message again in `seconds`; `unanswered` if a request may still take effect.

    `service` is what we wait for, from the error.
    """

    seconds: float
    code: str
    sentence: str
    unanswered: bool = False
    service: str = ""


@dataclass(frozen=True)
class Done:
    """The message is done and the state records it. `code` is the error's; the rest as in Wait."""

    status: str
    code: str
    sentence: str
    unanswered: bool = False


def decide(
    error: PhotoSyncError,
    *,
    attempt: int,
    first_queued_at: datetime,
    now: datetime,
    jitter: Callable[[], float],
) -> Wait | Done:
    """Decide on *error*. SettingsError is raised again, because only a person can fix it."""
    match error:
        case TryLater() if not waited_long_enough(first_queued_at, now):
            return wait(error, attempt=attempt, jitter=jitter)
        case TryLater():
            sentence = f"Gave up after a day of waiting. {error}"
            return Done(GiveUp.status, "gave-up", sentence, isinstance(error, Unanswered))
        case Settled() | GiveUp():
            return Done(error.status, error.code, str(error))
        case _:
            raise error


def wait(error: TryLater, *, attempt: int, jitter: Callable[[], float]) -> Wait:
    """The wait that *error* asks for, or the next step of an exponential one."""
    seconds = backoff(attempt, asked=error.retry_after, jitter=jitter)
    if error.over_in is not None:
        seconds = min(seconds, error.over_in + 1 + jitter())
    unanswered = isinstance(error, Unanswered)
    return Wait(seconds, error.code, str(error), unanswered, error.service)


def waited_long_enough(first_queued_at: datetime, now: datetime) -> bool:
    """Whether a message has been deferred for so long that it is given up."""
    return now - first_queued_at >= LONGEST_WAIT
