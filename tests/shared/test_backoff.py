"""How long to wait: what a service asks for, or our own backoff."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import LONGEST_WAIT, backoff, seconds_asked
from tests.doubles.web import NOON

ASKED = {
    "nothing": ({}, None),
    "whole seconds": ({"Retry-After": "7"}, 7),
    "a fraction": ({"Retry-After": "2.128"}, 2.128),
    "zero": ({"Retry-After": "0"}, 0),
    "the past": ({"Retry-After": "-5"}, 0),
    "more than a day": ({"Retry-After": "99999999"}, 86400),
    "a date": ({"Retry-After": format_datetime(NOON + timedelta(seconds=90), usegmt=True)}, 90),
    "a date without a zone": ({"Retry-After": "Mon, 02 Mar 2026 12:01:00 -0000"}, 60),
    "a date in another zone": ({"Retry-After": "Mon, 02 Mar 2026 13:00:30 +0100"}, 30),
    "a date long ago": ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, 0),
    "a word": ({"Retry-After": "soon"}, None),
    "empty": ({"Retry-After": ""}, None),
    "not a number": ({"Retry-After": "nan"}, None),
    "for ever": ({"Retry-After": "inf"}, None),
    "an impossible day": ({"Retry-After": "Mon, 99 Mar 2026 12:00:00 GMT"}, None),
    "only the other header": ({"RateLimit-Reset": "9"}, 9),
    "the greater, first": ({"Retry-After": "12", "RateLimit-Reset": "9"}, 12),
    "the greater, second": ({"Retry-After": "3", "RateLimit-Reset": "9"}, 9),
    "one of them unreadable": ({"Retry-After": "soon", "RateLimit-Reset": "9"}, 9),
}


@pytest.mark.parametrize(("headers", "seconds"), ASKED.values(), ids=ASKED)
def test_seconds_asked(headers, seconds):
    """The greater of Retry-After and RateLimit-Reset counts, as seconds or as a date."""
    assert seconds_asked(headers, NOON) == seconds


DATES = st.from_regex(r"[A-Za-z]{0,3},? ?\d{1,5} [A-Z][a-z]{2} \d{1,6} \d\d:\d\d:\d\d [-+]?\w{0,5}")


@given(st.text() | DATES)
def test_any_header_gives_a_usable_wait(text):
    """For any header, the wait is None or between 0 and a day."""
    seconds = seconds_asked({"Retry-After": text}, NOON)

    assert seconds is None or 0 <= seconds <= LONGEST_WAIT.total_seconds()


@pytest.mark.parametrize(
    ("attempt", "shortest", "longest"),
    [(1, 2, 4), (2, 4, 8), (5, 32, 64), (14, 10_800, 21_600), (1_000_000, 10_800, 21_600)],
    ids=["first", "second", "fifth", "ceiling", "far beyond"],
)
def test_backoff_doubles_up_to_a_ceiling(attempt, shortest, longest):
    """Each wait is twice as long, up to six hours; jitter takes off up to half."""
    assert backoff(attempt, asked=None, jitter=lambda: 0.0) == shortest
    assert backoff(attempt, asked=None, jitter=lambda: 1.0) == longest


@given(
    st.integers(1, 1_000_000),
    st.none() | st.floats(0, LONGEST_WAIT.total_seconds()),
    st.floats(0, 1, exclude_max=True),
)
def test_never_too_early(attempt, asked, share):
    """A wait is never shorter than asked for, and fits into a queue's delay."""
    seconds = backoff(attempt, asked=asked, jitter=lambda: share)

    assert seconds >= (2 if asked is None else asked)
    assert seconds < timedelta(days=7).total_seconds()


def test_those_throttled_together_come_back_apart():
    """Two callers asked for the same wait do not retry at the same time."""
    assert backoff(1, asked=60.0, jitter=lambda: 0.9) > backoff(1, asked=60.0, jitter=lambda: 0.1)
