"""NCRONTAB: the moments that an expression describes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from local.host.schedule import BadSchedule, parse


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "now", "expected"),
    [
        ("0 * * * * *", "2026-01-01T10:00:00", "2026-01-01T10:01:00"),
        ("* * * * * *", "2026-01-01T10:00:00.5", "2026-01-01T10:00:01"),
        ("*/15 * * * * *", "2026-01-01T10:00:15", "2026-01-01T10:00:30"),
        ("5/20 * * * * *", "2026-01-01T10:00:26", "2026-01-01T10:00:45"),
        ("0 0 * * * *", "2026-01-01T23:59:59", "2026-01-02T00:00:00"),
        ("0 30 9-17 * * *", "2026-01-01T17:30:00", "2026-01-02T09:30:00"),
        ("0 0,20,40 * * * *", "2026-01-01T10:20:00", "2026-01-01T10:40:00"),
        ("0 0 8-18/5 * * *", "2026-01-01T09:00:00", "2026-01-01T13:00:00"),
        ("0 0 6 * * mon-fri", "2026-01-02T06:00:00", "2026-01-05T06:00:00"),
        ("0 0 6 * * Sunday", "2026-01-02T06:00:00", "2026-01-04T06:00:00"),
        ("0 0 0 1 JAN,jul *", "2026-01-01T00:00:00", "2026-07-01T00:00:00"),
        ("0 0 0 13 * 5", "2026-01-01T00:00:00", "2026-02-13T00:00:00"),
        ("0 0 0 29 2 *", "2026-01-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-01-31T00:00:00", "2026-03-31T00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
    ],
)
def test_next_occurrence(expression, now, expected):
    """The next occurrence is the first later moment at which all six fields match."""
    assert parse(expression).next_after(at(now)) == at(expected)


def test_schedule_is_utc():
    """The fields are in UTC, whatever the offset of the given moment."""
    now = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=5)))

    assert parse("0 0 22 * * *").next_after(now) == at("2025-12-31T22:00:00")


@pytest.mark.parametrize(
    "expression",
    [
        *("* * * * *", "0 0 0 * * * *", "60 * * * * *", "* 60 * * * *", "* * 24 * * *"),
        *("* * * 0 * *", "* * * * 13 *", "* * * * * 7", "* * * * ja *", "*/0 * * * * *"),
        *("5-1 * * * * *", "1, * * * * *", "-1 * * * * *", "0 0 0 30 2 *", "00:05:00", ""),
    ],
)
def test_bad_schedule_is_refused(expression):
    """Fields out of range, the wrong number of fields, or no occurrence."""
    with pytest.raises(BadSchedule):
        parse(expression)
