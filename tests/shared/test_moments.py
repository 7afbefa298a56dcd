"""Timestamps in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import moments

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T12:00:00.0000000Z",
        "2026-01-31T12:00:00.000000+00:00",
    ],
)
def test_one_moment_in_many_spellings(text):
    """With or without a zone, with any number of digits: the same time in UTC."""
    assert moments.read(text) == NOON
    assert moments.read(text).tzinfo is UTC


def test_digits_beyond_a_microsecond():
    """Graph's seventh fractional digit is dropped."""
    assert moments.read("2026-01-31T12:00:00.1234569Z") == NOON + timedelta(microseconds=123456)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", ValueError),
        ("soon", ValueError),
        ("2026-13-01T00:00:00Z", ValueError),
        (None, TypeError),
        (1.5, TypeError),
        ("0001-01-01T00:00:00+10:00", OverflowError),
    ],
)
def test_no_moment(text, kind):
    """Anything else is one of three errors."""
    with pytest.raises(kind):
        moments.read(text)


ZONES = st.integers(-23, 23).map(lambda hours: timezone(timedelta(hours=hours)))


@given(
    # Hypothesis accepts only limits without a zone.
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001
)
def test_every_moment_is_read_as_it_was_written(moment):
    """Every time that Python writes is read back unchanged."""
    assert moments.read(moment.isoformat()) == moment
