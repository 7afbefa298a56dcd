"""
A first fill of a large tenant: 100,000 users without pictures, in simulated time.

The pacing is the product's own; Microsoft's limits, the host and its instances are simulated. The
floor is the time that the binding limit needs for the first copies alone.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from local.bench.first_fill.first_fill_play import FIRST_COPY, FirstFill, Played
from local.bench.first_fill.tenant_limits import fewest_seconds
from local.bench.measuring.rows import Row

USERS = 100_000
# The case of calls that cost more than the product assumes: their price is unknown.
FEWER_USERS, DEARER_UNITS = 30_000, 3
# A goal of the design, and the longest acceptable wait.
_RATIO, _MINUTE = 1.25, 60.0


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Run it once: the same seed gives the same result."""
    began = time.process_time()
    played = FirstFill(USERS).play(say)
    dearer = FirstFill(FEWER_USERS, units_a_call=DEARER_UNITS).play(say)
    say(f"played in {time.process_time() - began:.0f} s of one core")
    return [*rows_of(USERS, played), _dearer(dearer)]


def rows_of(users: int, played: Played) -> Iterator[Row]:
    """The rows of the table."""
    counts, limits = played.counts, played.limits
    fewest = fewest_seconds(users, FIRST_COPY)
    binding = max(fewest, key=lambda limit: fewest[limit])
    what = f"{users:,} first copies: "
    yield Row(
        "first-fill",
        what + "hours",
        round(played.seconds / 3600, 3),
        "h",
        floor=round(fewest[binding] / 3600, 3),
        floor_is=f"what the limit that binds allows, {binding}, without changes",
        goal_ratio=_RATIO,
        note=f"{FIRST_COPY.profile_calls} profile calls and {FIRST_COPY.units()} units each; "
        f"at most {limits.profiles.largest:,} profile calls in five minutes, "
        f"{limits.units.largest:,} units in one",
    )
    yield Row(
        "first-fill",
        what + "calls refused by SharePoint",
        limits.refused,
        "",
        goal=0,
        note=f"{counts.put_off:,} messages were put off",
    )
    yield Row(
        "first-fill",
        what + "slowest from its turn to its picture",
        round(max(counts.copies), 2),
        "s",
        goal=_MINUTE,
        note=f"median {statistics.median(counts.copies):.1f} s",
    )
    yield Row(
        "first-fill",
        what + "slowest change meanwhile, one a second",
        round(max(counts.changes), 2),
        "s",
        goal=_MINUTE,
        note=f"{len(counts.changes):,} changes, median {statistics.median(counts.changes):.1f} s",
    )
    yield Row(
        "first-fill",
        what + "turns in vain",
        played.vain,
        "",
        note=f"of who had changed the photo before, or was found by two sweeps: two calls each. "
        f"{counts.longest_queue:,} messages at "
        f"most, and {counts.most_instances} instances, busy for "
        f"{played.busy_seconds / 3600:.1f} hours together",
    )


def _dearer(played: Played) -> Row:
    """The cost of a wrong assumption about the price of a call."""
    fewest = fewest_seconds(FEWER_USERS, FIRST_COPY, DEARER_UNITS)
    late = [each for each in played.counts.changes if each > _MINUTE]
    return Row(
        "first-fill",
        f"{FEWER_USERS:,}, were each call {DEARER_UNITS} units: hours",
        round(played.seconds / 3600, 3),
        "h",
        floor=round(max(fewest.values()) / 3600, 3),
        floor_is="the same, with calls that are as dear",
        note=f"{played.limits.refused:,} calls refused, {played.counts.put_off:,} put off; "
        f"{len(late):,} of {len(played.counts.changes):,} changes came later than a minute",
    )
