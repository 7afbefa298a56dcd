"""How long to wait: what services ask for, and what we choose when they say nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# A wait beyond a day is not a wait; the message is given up before (see `messages.fates`).
LONGEST_WAIT = timedelta(days=1)
FIRST_BACKOFF_SECONDS = 4.0
# Doubling up to here keeps the calls of a message in an outage of length T near log T; a picture
# is then late by no more than the outage was long.
LONGEST_BACKOFF_SECONDS = 6 * 3600.0


def seconds_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Seconds the service asks for: the greater of Retry-After and RateLimit-Reset, None without.

    Retry-After may be fractional (graph.md section 4, observed) or an HTTP date (RFC 9110);
    RateLimit-Reset counts seconds (sharepoint.md section 5, documented).
    """
    asked = [
        _seconds(headers.get("Retry-After"), now),
        _seconds(headers.get("RateLimit-Reset"), now),
    ]
    return max((seconds for seconds in asked if seconds is not None), default=None)


def backoff(attempt: int, *, asked: float | None, jitter: Callable[[], float]) -> float:
    """
    Seconds until try *attempt* + 1: exponential with a ceiling, but never less than *asked* for.

    *jitter* returns a number in [0, 1): without it, all who were throttled at once come back at
    once. A service that always asks for a second is not asked every second.
    """
    if asked is not None:
        politely = asked + jitter() * (1 + asked / 10)
        return max(politely, backoff(attempt, asked=None, jitter=jitter))
    doubled = math.ldexp(FIRST_BACKOFF_SECONDS, min(attempt - 1, 16))
    ceiling = min(doubled, LONGEST_BACKOFF_SECONDS)
    return ceiling / 2 + jitter() * ceiling / 2


def in_words(seconds: float, now: datetime) -> str:
    """How long a wait is, and until when: this is read at once, or in a state hours later."""
    until = now.astimezone(UTC) + timedelta(seconds=seconds)
    return f"for {math.ceil(seconds)} s more, until {until:%H:%M:%S} UTC"


def _seconds(text: str | None, now: datetime) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = _until(text, now)
    return min(max(seconds, 0.0), LONGEST_WAIT.total_seconds()) if math.isfinite(seconds) else None


def _until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, IndexError, OverflowError):
        return math.nan
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return (moment - now).total_seconds()
