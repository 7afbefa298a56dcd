"""Sweeps of large tenants: calls and memory; each size in a separate process."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

from local.bench.measuring import fresh_process
from local.bench.measuring.rows import Row
from local.bench.sweep.sweep_process import Figures
from local.bench.sweep.sweep_world import USERS_A_BATCH, USERS_A_PAGE

SIZES = LARGE, LARGEST = 100_000, 1_000_000
# With one arena for each thread, the peak depends on which thread came first.
_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
# Of the snapshot: object id and answer.
BYTES_A_USER = 22
# Goals of the design: for LARGE and for LARGEST.
MOST_STORAGE_CALLS, MOST_MB = 60, 64
CALLS_WHO_DIFFERS = 2
# A sweep checks one in ONE_BY_ID_IN known users by id, and at least FEWEST_BY_ID.
ONE_BY_ID_IN, FEWEST_BY_ID = 100, 100


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Sweep each size once: a count has no noise, and the memory hardly any."""
    found: list[Row] = []
    for users in SIZES:
        say(f"{users:,} users")
        found += of_size(measured(users))
    return found


def measured(users: int) -> Figures:
    """One sweep in a fresh process, so that its memory contains nothing else."""
    command = ["-m", "local.bench.sweep.sweep_process", str(users)]
    return Figures(**fresh_process.answer(command, environ=_ONE_ARENA))


def fewest_graph_calls(users: int) -> int:
    """
    One for each page, one for every twenty users of it, and one for every twenty of the users
    checked by id.
    """
    full, rest = divmod(users, USERS_A_PAGE)
    pages = [USERS_A_PAGE] * full + [rest] * bool(rest)
    by_id = math.ceil(min(users, max(FEWEST_BY_ID, users // ONE_BY_ID_IN)) / USERS_A_BATCH)
    return by_id + sum(1 + math.ceil(page / USERS_A_BATCH) for page in pages)


def of_size(one: Figures) -> Iterator[Row]:
    """The results of a sweep."""
    users, large = f"{one.users:,} users: ", one.users <= LARGE
    yield Row(
        users + "calls to Graph",
        one.calls,
        goal=fewest_graph_calls(one.users),
        note=f"{math.ceil(one.users / USERS_A_PAGE)} pages, 1 call per {USERS_A_BATCH} users of "
        f"each; one known user in {ONE_BY_ID_IN} is checked by id, since users who have left are "
        "on no page",
    )
    note = f"{one.expected:,} differ, {one.queued:,} were queued; compared user by user"
    yield Row(users + "wrongly queued or left out", one.wrongly, goal=0, note=note)
    yield Row(
        users + "calls to storage, beside those for users who differ",
        one.storage_calls - CALLS_WHO_DIFFERS * one.expected,
        goal=MOST_STORAGE_CALLS if large else None,
        note="5,000 states per listing, a log and a message per run, and the host's calls for each "
        f"message; {CALLS_WHO_DIFFERS} for each user who differs: reading the state and sending a "
        "message",
    )
    kept = one.users * BYTES_A_USER / 1e6
    yield Row(
        users + "peak memory",
        one.peak_mb,
        "MB",
        goal=None if large else MOST_MB,
        note=f"{BYTES_A_USER} bytes per user, {kept:.1f} MB, and a listing; of the sweep's own "
        "classes in a process; stores and queues are stand-ins that count",
    )
