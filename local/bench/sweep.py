"""A sweep of large tenants: calls to Graph, memory, seconds; each size in a process of its own."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from local.bench import state_reads
from local.bench.graph_time import LATENCY
from local.bench.rows import Row, of_rounds
from local.bench.sweep_process import Figures
from local.bench.sweep_world import USERS_A_BATCH, USERS_A_PAGE

SIZES, ROUNDS = (1_000, 10_000, 100_000), 3
# A sweep should be over when the next one begins.
_PERIOD = 3_600
# Memory that the larger of two sweeps may have on top of the smaller one: an allocator's noise.
TOLERANCE_MB = 4.0
_REPO = Path(__file__).resolve().parents[2]


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Sweep each size in several rounds, and read states by themselves."""
    found: list[list[Figures]] = []
    for users in SIZES:
        say(f"{users:,} users")
        found.append([measured(users) for _ in range(ROUNDS)])
    of_sizes = [row for rounds in found for row in _of_size(rounds)]
    return [*of_sizes, *_growth(*found[-2:]), *state_reads.rows(folder, say)]


def measured(users: int) -> Figures:
    """One sweep in a fresh process, so that nothing but itself is in its memory."""
    command = [sys.executable, "-m", "local.bench.sweep_process", str(users)]
    # One arena: with one for each thread the peak depends on which thread came first.
    environ = {**os.environ, "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=_REPO, env=environ
    )
    return Figures(**json.loads(done.stdout))


def fewest_graph_calls(users: int) -> int:
    """One for each page, and one for every twenty users of it."""
    full, rest = divmod(users, USERS_A_PAGE)
    pages = [USERS_A_PAGE] * full + [rest] * bool(rest)
    return sum(1 + math.ceil(page / USERS_A_BATCH) for page in pages)


def _of_size(rounds: Sequence[Figures]) -> Iterator[Row]:
    one = rounds[0]
    users = f"{one.users:,} users: "
    pages = math.ceil(one.users / USERS_A_PAGE)
    told = f"{pages} pages, 1 call for {USERS_A_BATCH} users of each"
    fewest = fewest_graph_calls(one.users)
    yield Row("sweep", users + "calls to Graph", one.calls, "", goal=fewest, note=told)
    wrongly = sum(abs(each.queued - each.expected) for each in rounds)
    told = f"{one.expected:,} differ, {one.queued:,} were queued"
    yield Row("sweep", users + "queued or left out wrongly", wrongly, "", goal=0, note=told)
    yield Row(
        "sweep",
        users + "time that Graph takes",
        one.graph_seconds,
        "s",
        goal=_PERIOD,
        note=f"simulated, {LATENCY * 1000:.0f} ms a call, limits for an app and a mailbox; were "
        f"they for an app, as an older text has them: {one.graph_seconds_by_app:,} s",
    )
    seconds = [each.seconds for each in rounds]
    yield of_rounds("sweep", users + "time of our own", seconds, "s", note="without any network")
    yield of_rounds("sweep", users + "peak memory", [each.peak_mb for each in rounds], "MB")


def _growth(smaller: Sequence[Figures], larger: Sequence[Figures]) -> Iterator[Row]:
    """What ten times as many users cost."""
    less, more = smaller[0], larger[0]
    users = f"{more.users:,} users against {less.users:,}: "
    times = more.users / less.users
    yield Row("sweep", users + "calls", round(more.calls / less.calls, 3), "×", goal=times)
    peaks = [statistics.median(each.peak_mb for each in rounds) for rounds in (smaller, larger)]
    grown = max(0.0, round(peaks[1] - peaks[0], 2))
    yield Row("sweep", users + "memory more at the peak", grown, "MB", goal=TOLERANCE_MB)
