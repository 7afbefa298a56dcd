"""Sweeps of large tenants: calls, memory, seconds; each size in a separate process."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from local.bench.measuring import fresh_process
from local.bench.measuring.rows import Row, of_rounds
from local.bench.sweep.graph_time import BATCH_LATENCY, LATENCY, REQUESTS, WINDOW
from local.bench.sweep.sweep_process import Comparison, Figures
from local.bench.sweep.sweep_world import PHOTOS_AT_ONCE, USERS_A_BATCH, USERS_A_PAGE

SIZES, ROUNDS = (1_000, 10_000, 100_000), 3
LARGEST, MOST_MB = 1_000_000, 64
# With one arena for each thread, the peak depends on which thread came first.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
# Of the snapshot: object id and answer.
BYTES_A_USER = 22
MOST_STORAGE_CALLS, CALLS_WHO_DIFFERS = 60, 2
# A sweep should be over when the next one starts.
_PERIOD = 3_600
# A sweep checks one in ONE_BY_ID_IN known users by id, and at least FEWEST_BY_ID.
ONE_BY_ID_IN, FEWEST_BY_ID = 100, 100
# Allowed extra memory of the larger of two sweeps: an allocator's noise.
TOLERANCE_MB = 4.0


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Sweep each size in several rounds, and the largest once."""
    found: list[list[Figures]] = []
    for users in SIZES:
        say(f"{users:,} users")
        found.append([measured(users) for _ in range(ROUNDS)])
    of_sizes = [row for rounds in found for row in of_size(rounds)]
    say(f"{LARGEST:,} users")
    return [*of_sizes, *growth(*found[-2:]), *largest(compared(LARGEST))]


def measured(users: int) -> Figures:
    """One sweep in a fresh process, so that its memory contains nothing else."""
    command = ["-m", "local.bench.sweep.sweep_process", str(users)]
    return Figures(**fresh_process.answer(command, environ=_ONE_ARENA))


def compared(users: int) -> Comparison:
    """The second half of a sweep, in a fresh process."""
    command = ["-m", "local.bench.sweep.sweep_process", "--compare", str(users)]
    return Comparison(**fresh_process.answer(command, environ=_ONE_ARENA))


def fewest_graph_calls(users: int) -> int:
    """
    One for each page, one for every twenty users of it, and one for every twenty of the users
    checked by id.
    """
    full, rest = divmod(users, USERS_A_PAGE)
    pages = [USERS_A_PAGE] * full + [rest] * bool(rest)
    by_id = math.ceil(min(users, max(FEWEST_BY_ID, users // ONE_BY_ID_IN)) / USERS_A_BATCH)
    return by_id + sum(1 + math.ceil(page / USERS_A_BATCH) for page in pages)


def of_size(rounds: Sequence[Figures]) -> Iterator[Row]:
    """The results of sweeps of one size."""
    one = rounds[0]
    users = f"{one.users:,} users: "
    calls = max(each.calls for each in rounds)
    pages = (
        f"{math.ceil(one.users / USERS_A_PAGE)} pages, 1 call for {USERS_A_BATCH} users of each; "
        f"one in {ONE_BY_ID_IN} is asked for by id, for who has left is on no page"
    )
    fewest = fewest_graph_calls(one.users)
    yield Row("sweep", users + "calls to Graph", calls, "", goal=fewest, note=pages)
    wrongly = sum(each.wrongly for each in rounds)
    told = f"{one.expected:,} differ, {one.queued:,} were queued; counted user by user"
    yield Row("sweep", users + "queued or left out wrongly", wrongly, "", goal=0, note=told)
    calls = max(each.storage_calls for each in rounds) - CALLS_WHO_DIFFERS * one.expected
    yield Row(
        "sweep",
        users + "calls to storage, beside those for who differs",
        calls,
        "",
        goal=MOST_STORAGE_CALLS,
        note="5,000 states a listing, a log and a message a run, and what the host does of each; "
        f"{CALLS_WHO_DIFFERS} for each who differs: the state is read and a message written",
    )
    at_once = min(each.batches_at_once for each in rounds)
    yield Row(
        "sweep",
        users + "time of Graph's answers, at least",
        max(each.graph_seconds for each in rounds),
        "s",
        goal=_PERIOD,
        note=f"computed: {LATENCY * 1000:.0f} ms a page, {BATCH_LATENCY * 1000:.0f} ms a batch as "
        f"in the simulator, {at_once} batches at once as the product was seen to have; no limit "
        "of Graph's binds, as long as they are for an app and a mailbox",
    )
    yield Row(
        "sweep",
        users + "the same, were the limits for an app",
        max(each.graph_seconds_by_app for each in rounds),
        "s",
        note=f"as an older text has them: {PHOTOS_AT_ONCE} photos at once and {REQUESTS:,} in "
        f"{WINDOW / 60:.0f} minutes, each of a batch counted",
    )
    seconds = [each.seconds for each in rounds]
    yield of_rounds("sweep", users + "time of our own", seconds, "s", note="without any network")
    peaks = [each.peak_mb for each in rounds]
    note = "of the sweep's own classes in a process; stores and queues are stand-ins that count"
    yield of_rounds("sweep", users + "peak memory", peaks, "MB", note=note)


def largest(one: Comparison) -> Iterator[Row]:
    """The memory of a sweep in one of the largest tenants."""
    users = f"{one.users:,} users: "
    note = (
        f"{BYTES_A_USER} bytes a user, {one.users * BYTES_A_USER / 1e6:.0f} MB, and a listing; "
        "the half of a sweep that holds something of each user, with stand-ins as above"
    )
    yield Row("sweep", users + "peak memory", one.peak_mb, "MB", goal=MOST_MB, note=note)
    told = f"{one.expected:,} differ; compared with their states"
    yield Row("sweep", users + "queued or left out wrongly", one.wrongly, "", goal=0, note=told)


def growth(smaller: Sequence[Figures], larger: Sequence[Figures]) -> Iterator[Row]:
    """The cost of ten times as many users."""
    less, more = smaller[0], larger[0]
    users = f"{more.users:,} users against {less.users:,}: "
    times = more.users / less.users
    yield Row("sweep", users + "calls", round(more.calls / less.calls, 3), "×", goal=times)
    peaks = [statistics.median(each.peak_mb for each in rounds) for rounds in (smaller, larger)]
    grown = max(0.0, round(peaks[1] - peaks[0], 2))
    kept = (more.users - less.users) * BYTES_A_USER / 1e6
    yield Row(
        "sweep",
        users + "memory more at the peak",
        grown,
        "MB",
        goal=round(TOLERANCE_MB + kept, 2),
        note=f"of which {kept:.1f} MB are what is kept of each user, {BYTES_A_USER} bytes",
    )
