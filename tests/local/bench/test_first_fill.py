"""The first fill in simulated time, small."""

from __future__ import annotations

import math

from local.bench.first_fill import first_fill
from local.bench.first_fill.first_fill_play import FIRST_COPY, FirstFill
from local.bench.first_fill.tenant_limits import Cost, TenantLimits, Window, fewest_seconds

# Fewer end within minutes, of which the last one's spreading is a good part.
USERS = 20_000


def test_goals_are_met():
    """A few thousand users are filled as the goals of a hundred thousand ask for."""
    rows = list(first_fill.rows_of(USERS, FirstFill(USERS, every=2.0).play()))

    assert [row.what for row in rows if row.met is False] == []


def test_without_turns_changes_wait():
    """Where all are queued at once changes wait for minutes: the play would show it."""
    played = FirstFill(3_000, few=3_000).play()

    assert played.limits.refused > 0
    assert max(played.counts.changes) > 60


def test_a_window_slides():
    """What was taken counts for as long as the window is, and no longer."""
    window = Window(10, 60.0)
    window.take(0.0, 10)

    assert 60 <= window.seconds_until(1.0, 1) + 1.0 <= 60.5
    assert window.seconds_until(60.5, 10) == 0.0


def test_refused_calls_count():
    """A call that is refused counts against the limit, too."""
    limits = TenantLimits()
    limits.ask(0.0, profile_calls=3_125, uploads=0)
    waits = [limits.ask(1.0, profile_calls=1, uploads=0) for _ in range(2)]

    assert all(wait > 0 for wait in waits)
    assert limits.units.taken(1.0) == 6_254


def test_floor_is_the_limit_that_binds():
    """So many seconds as the documented numbers say, whichever is more."""
    fewest = fewest_seconds(100_000, Cost(graph=4, profile_calls=5, uploads=3))

    assert fewest["profile calls"] == 100_000 / (15_000 / 5 / 5) * 60
    assert fewest["resource units"] == 100_000 * 16 / 6_250 * 60
    assert fewest["resource units a day"] == 0
    assert math.isclose(
        fewest_seconds(1_000_000, FIRST_COPY)["resource units a day"] / 86_400,
        1_000_000 * FIRST_COPY.units() / 6_000_000 - 1,
    )
