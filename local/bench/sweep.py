"""A sweep of large tenants: calls to Graph, memory, seconds; each size in a process of its own."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.bench.rows import Row
from shared.graph_batch import LIMIT
from shared.listing import PAGE

SIZES = (1_000, 10_000, 100_000)
# Memory that the larger of two sweeps may have on top of the smaller one: an allocator's noise.
TOLERANCE_MB = 4.0
_REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Figures:
    """What one sweep came to; `queued` users differed, as the tenant was made to have them."""

    users: int
    calls: int
    queued: int
    expected: int
    seconds: float
    peak_mb: float


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Sweep each size once."""
    found = []
    for users in SIZES:
        say(f"{users:,} users")
        found.append(measured(users))
    return [row for figures in found for row in _of_one(figures)] + [_growth(*found[-2:])]


def measured(users: int) -> Figures:
    """One sweep in a fresh process, so that nothing but itself is in its memory."""
    command = [sys.executable, "-m", "local.bench.sweep_process", str(users)]
    # One arena: with one for each thread the peak depends on which thread came first.
    environ = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=_REPO, env=environ
    )
    return Figures(**json.loads(done.stdout))


def _of_one(figures: Figures) -> list[Row]:
    users = figures.users
    what = f"of {users:,} users: "
    why = f"{math.ceil(users / PAGE)} pages, 1 call for {LIMIT} users of each"
    return [
        Row(
            "sweep",
            what + "calls to Graph",
            figures.calls,
            "",
            goal=fewest_graph_calls(users),
            note=why,
        ),
        Row(
            "sweep",
            what + "queued or left out wrongly",
            abs(figures.queued - figures.expected),
            "users",
            goal=0,
            note=f"{figures.expected} differ, {figures.queued} were queued",
        ),
        Row("sweep", what + "time, without a network", figures.seconds, "s"),
        Row("sweep", what + "peak memory", figures.peak_mb, "MB"),
    ]


def fewest_graph_calls(users: int) -> int:
    """One for each page, and one for every twenty users of it."""
    full, rest = divmod(users, PAGE)
    return full * (1 + math.ceil(PAGE / LIMIT)) + (1 + math.ceil(rest / LIMIT) if rest else 0)


def _growth(smaller: Figures, larger: Figures) -> Row:
    """What ten times as many users cost in memory at the peak."""
    return Row(
        "sweep",
        f"memory more for {larger.users:,} than for {smaller.users:,} users",
        max(0.0, round(larger.peak_mb - smaller.peak_mb, 2)),
        "MB",
        goal=TOLERANCE_MB,
        note=f"{smaller.peak_mb:.1f} MB and {larger.peak_mb:.1f} MB",
    )
