"""How many users sweeps may send to be copied."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.sweeping.pace import (
    DAY,
    MINUTE,
    PROFILE_CALLS_A_COPY,
    SHARE,
    UNITS_A_CALL,
    UPLOADS_A_COPY,
    Pace,
)

# sharepoint.md section 5: profile calls in five minutes, units a minute and a day.
CLASSES = [
    (3_000, 1_250, 1_200_000),
    (6_000, 2_500, 2_400_000),
    (9_000, 3_750, 3_600_000),
    (12_000, 5_000, 4_800_000),
    (15_000, 6_250, 6_000_000),
]
UNITS = (PROFILE_CALLS_A_COPY + UPLOADS_A_COPY) * UNITS_A_CALL


@pytest.mark.parametrize(("profiles", "units", "units_a_day"), CLASSES)
def test_no_limit_is_exceeded(profiles, units, units_a_day):
    """First copies use the same share of the binding limit in each class of tenant."""
    pace = Pace(profiles)
    taken = [
        pace.a_minute * 5 * PROFILE_CALLS_A_COPY / profiles,
        pace.a_minute * UNITS / units,
    ]

    assert max(taken) == pytest.approx(SHARE, rel=0.02)
    assert max(taken) <= SHARE
    assert SHARE * 0.999 < pace.a_day * UNITS / units_a_day <= SHARE


def test_pace_of_other_settings():
    """0 means the largest tenant, the smallest limit still allows a user, and checks cost less."""
    assert Pace(0).a_minute == Pace(15_000).a_minute
    assert Pace(1).a_minute == 1
    assert Pace(1).a_day >= 1
    assert Pace(3_000, dry_run=True).a_minute > 2 * Pace(3_000).a_minute


@pytest.mark.parametrize("seconds", [30, 61, 90])
def test_steps_add_up_to_the_pace(seconds):
    """However long a step takes, as many users are sent as the time allows, and no more."""
    pace, sent, age, apart = Pace(15_000), 0, timedelta(), timedelta(seconds=seconds)
    for _ in range(100):
        age += apart
        sent += pace.room(sent=sent, age=age, since=apart, percent=100)

    assert 0.99 * pace.a_minute * (age / MINUTE) < sent <= pace.a_minute * (age / MINUTE)


def test_daily_limit():
    """No 24 hours exceed the daily limit."""
    pace, sent, sums = Pace(15_000), 0, [0]
    for minute in range(3 * 24 * 60):
        sent += pace.room(sent=sent, age=minute * MINUTE, since=MINUTE, percent=100)
        sums.append(sent)
    day = DAY // MINUTE
    windows = [later - earlier for earlier, later in zip(sums, sums[day:], strict=False)]

    assert max(windows) <= pace.a_day
    assert sent > 2.9 * min(pace.a_day, pace.a_minute * day)


def test_late_step():
    """A step that is an hour late makes up for two minutes at most."""
    pace = Pace(15_000)

    assert pace.room(sent=0, age=DAY, since=60 * MINUTE, percent=100) <= 2 * pace.a_minute


def test_fill_slows_down_while_messages_pile_up():
    """The pace drops step by step to a minimum, and rises again slowly."""
    pace, percent, fewer, more = Pace(15_000), 100, [], []
    for minute in range(20):
        waiting = 200 * (minute + 1)
        percent = pace.next_percent(percent, waiting=waiting, before=waiting - 200)
        fewer.append(percent)
    for _ in range(120):
        percent = pace.next_percent(percent, waiting=4_000, before=4_000)
        more.append(percent)

    assert fewer == sorted(fewer, reverse=True)
    assert fewer[-1] == 10
    assert more == sorted(more)
    assert more[30] < more[-1] == 100
    assert Pace(1).room(sent=0, age=MINUTE, since=MINUTE, percent=10) == 1


def test_backlog_drains_first():
    """While a large backlog shrinks, the pace stays as it is."""
    assert Pace(15_000).next_percent(30, waiting=400, before=500) == 30
    assert Pace(15_000).next_percent(30, waiting=10, before=500) == 31


@pytest.mark.parametrize("before", [0, 5_000])
def test_steady_backlog_does_not_slow_a_fill(before):
    """Some messages are always in progress; others wait for hours for failing mailboxes."""
    waiting = [before, before + 1, before + 50]

    assert [Pace(15_000).next_percent(100, waiting=each, before=before) for each in waiting] == [
        100
    ] * 3


def test_clock_that_was_set_back():
    """A step whose previous step lies in the future sends no user, without an error."""
    assert Pace(3_000).room(sent=0, age=-MINUTE, since=-MINUTE, percent=100) == 0
