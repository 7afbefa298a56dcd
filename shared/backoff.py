"""How long to wait: what a service asks for, or our own exponential backoff."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Messages are given up after a day of waiting (see `messages.disposition`), so no wait is longer.
LONGEST_WAIT = timedelta(days=1)
FIRST_BACKOFF_SECONDS = 4.0
# Doubling up to here keeps the calls per message near log T for an outage of length T. A picture
# is then late by at most the length of the outage.
LONGEST_BACKOFF_SECONDS = 6 * 3600.0


def seconds_asked(headers: Mapping[str, str], now: datetime) -> float | None:
    """
    Seconds the service asks for: the greater of Retry-After and RateLimit-Reset, else None.

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
    Seconds until attempt *attempt* + 1: exponential with a ceiling, never less than *asked*.

    *jitter* returns a number in [0, 1). Without it, all callers throttled together would retry
    together. The backoff grows even if the service asks for one second every time.
    """
    if asked is not None:
        politely = asked + jitter() * (1 + asked / 10)
        return max(politely, backoff(attempt, asked=None, jitter=jitter))
    doubled = math.ldexp(FIRST_BACKOFF_SECONDS, min(attempt - 1, 16))
    ceiling = min(doubled, LONGEST_BACKOFF_SECONDS)
    return ceiling / 2 + jitter() * ceiling / 2


def in_words(seconds: float, now: datetime) -> str:
    """The length and the end of a wait; a state may be read hours later, so it needs both."""
    until = now.astimezone(UTC) + timedelta(seconds=seconds)
    return f"for another {math.ceil(seconds)} s, until {until:%H:%M:%S} UTC"


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
