"""The first fill in simulated time, small."""

from __future__ import annotations

import math

from local.bench.first_fill import first_fill
from local.bench.first_fill.first_fill import FirstFill
from local.bench.first_fill.tenant_limits import (
    FIRST_COPY,
    Cost,
    TenantLimits,
    Window,
    fewest_seconds,
)

# With fewer, the last minute, over which copies are spread, would be a large part of the time.
USERS = 20_000


def test_goals_are_met():
    """Fewer users meet the goals of a hundred thousand."""
    rows = list(first_fill.rows_of(USERS, FirstFill(USERS, every=2.0).play()))

    assert [row.what for row in rows if row.met is False] == []


def test_without_turns_changes_wait():
    """If all are queued at once, calls are refused and changes wait for minutes."""
    first, second = (FirstFill(3_000, few=3_000).play() for _ in range(2))

    assert first.limits.refused > 0
    assert max(first.counts.changes) > 60
    # The same seed gives the same result.
    assert (first.seconds, first.counts) == (second.seconds, second.counts)


def test_a_window_slides():
    """What was taken counts as long as the window is; what is refused counts too."""
    window, limits = Window(10, 60.0), TenantLimits()
    window.take(0.0, 10)
    limits.ask(0.0, profile_calls=3_125, uploads=0)

    assert window.seconds_until(1.0, 1) == 59.0
    assert window.seconds_until(60.0, 10) == 0.0
    assert [limits.ask(1.0, profile_calls=1, uploads=0) > 0 for _ in range(2)] == [True, True]
    assert limits.units.taken(1.0) == 6_254


def test_floor_is_the_limit_that_binds():
    """Each limit takes as many seconds as its documented number says."""
    fewest = fewest_seconds(100_000, Cost(profile_calls=5, uploads=3))

    assert fewest["profile calls"] == 100_000 / (15_000 / 5 / 5) * 60
    assert fewest["resource units"] == 100_000 * 16 / 6_250 * 60
    assert fewest["resource units a day"] == 0
    assert math.isclose(
        fewest_seconds(1_000_000, FIRST_COPY)["resource units a day"] / 86_400,
        1_000_000 * FIRST_COPY.units() / 6_000_000 - 1,
    )
