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
def test_no_limit_is_passed(profiles, units, units_a_day):
    """First copies take the same share of the limit that binds, in each class of tenant."""
    pace = Pace(profiles)
    taken = [
        pace.a_minute * 5 * PROFILE_CALLS_A_COPY / profiles,
        pace.a_minute * UNITS / units,
    ]

    assert max(taken) == pytest.approx(SHARE, rel=0.02)
    assert max(taken) <= SHARE
    assert SHARE * 0.999 < pace.a_day * UNITS / units_a_day <= SHARE


def test_no_setting_is_the_largest_tenant():
    """Without a limit of our own Microsoft's largest one holds."""
    assert Pace(0).a_minute == Pace(15_000).a_minute


def test_somebody_always_has_a_turn():
    """The smallest setting lets one user a minute go."""
    assert Pace(1).a_minute == 1
    assert Pace(1).a_day >= 1


def test_a_look_costs_less():
    """Where nothing is written more users may be looked at."""
    assert Pace(3_000, dry_run=True).a_minute > 2 * Pace(3_000).a_minute


@pytest.mark.parametrize("seconds", [30, 61, 90])
def test_steps_add_up_to_the_pace(seconds):
    """However long a step takes, as many are sent as the time allows, and no more."""
    pace, sent, age, apart = Pace(15_000), 0, timedelta(), timedelta(seconds=seconds)
    for _ in range(100):
        age += apart
        sent += pace.room(sent=sent, age=age, since=apart, percent=100)

    assert 0.99 * pace.a_minute * (age / MINUTE) < sent <= pace.a_minute * (age / MINUTE)


def test_any_day_holds_a_days_sum():
    """In none of the windows of a day is more sent than a day allows."""
    pace, sent, sums = Pace(15_000), 0, [0]
    for minute in range(3 * 24 * 60):
        sent += pace.room(sent=sent, age=minute * MINUTE, since=MINUTE, percent=100)
        sums.append(sent)
    day = DAY // MINUTE
    windows = [later - earlier for earlier, later in zip(sums, sums[day:], strict=False)]

    assert max(windows) <= pace.a_day
    assert sent > 2.9 * min(pace.a_day, pace.a_minute * day)


def test_a_late_step_makes_up_for_little():
    """After a death of an hour no hour's users come at once."""
    pace = Pace(15_000)

    assert pace.room(sent=0, age=DAY, since=60 * MINUTE, percent=100) <= 2 * pace.a_minute


def test_a_fill_gives_way():
    """While messages pile up less and less is sent, but never nothing; then slowly more again."""
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


def test_what_piled_up_drains_first():
    """While many messages wait and become fewer a fill goes on as slowly as it went."""
    assert Pace(15_000).next_percent(30, waiting=400, before=500) == 30
    assert Pace(15_000).next_percent(30, waiting=10, before=500) == 31


@pytest.mark.parametrize("before", [0, 5_000])
def test_who_waits_for_long_slows_nothing_down(before):
    """Mailboxes in trouble have messages that wait for hours; and some are at work at any time."""
    waiting = [before, before + 1, before + 50]

    assert [Pace(15_000).next_percent(100, waiting=each, before=before) for each in waiting] == [
        100
    ] * 3


def test_a_clock_that_was_set_back():
    """A step whose last one lies in a time to come sends nobody, and fails nowhere."""
    assert Pace(3_000).room(sent=0, age=-MINUTE, since=-MINUTE, percent=100) == 0
