"""What the bench counts of a sweep is exact, so that it can be asserted; times never are."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from local.bench.measuring.rows import Row
from local.bench.sweep import sweep_process
from local.bench.sweep.sweep import (
    BYTES_A_USER,
    TOLERANCE_MB,
    compared,
    growth,
    largest,
    measured,
    of_size,
)
from local.bench.sweep.sweep_process import Comparison, Figures
from local.bench.sweep.sweep_world import Counted, user_id

pytestmark = pytest.mark.server

SWEEP = Figures(
    users=10_000,
    calls=513,
    queued=100,
    expected=100,
    wrongly=0,
    batches_at_once=4,
    storage_calls=230,
    seconds=0.5,
    graph_seconds=40,
    graph_seconds_by_app=600,
    peak_mb=34.0,
)


def test_sweep_asks_once_for_twenty_users():
    """A call for each page, for each twenty users of it, and of those asked for by their ids."""
    figures = sweep_process.main(1_500)

    assert figures.calls == (1 + 50) + (1 + 26) + 5
    assert figures.queued == figures.expected == 15
    assert figures.wrongly == 0


def test_calls_to_storage_are_counted():
    """
    Of users who have not changed nobody is read: a listing, what two runs read and write, and
    three for each message.
    """
    figures = sweep_process.main(1_500)

    # The newest sweep is looked up, and one is begun; each run reads and writes the log, the first
    # keeps a part, and the second reads and drops it and lists the states.
    fixed = (1 + 2) + 2 * 2 + 3 + 1
    assert figures.storage_calls == fixed + 3 * 2 + 2 * figures.expected


def test_batches_at_once_are_seen():
    """How long Graph takes rests on how many batches the product really has under way."""
    figures = sweep_process.main(999)

    assert figures.batches_at_once == 4
    # A page of 0.12 s, and 50 batches of 0.24 s in 13 rounds.
    assert figures.graph_seconds == round(0.12 + 13 * 0.24)


def test_each_size_has_a_process_of_its_own():
    """What this process holds in memory does not show in the figures."""
    bytearray(300_000_000)

    assert 0 < measured(100).peak_mb < 200


def test_memory_stays_flat():
    """Four times as many users, and pages, take no more memory than what is kept of each."""
    few, many = measured(10_000), measured(40_000)

    assert many.peak_mb - few.peak_mb < TOLERANCE_MB + 30_000 * BYTES_A_USER / 1e6


@pytest.mark.parametrize(
    ("numbers", "wrongly"),
    [([0, 100, 200], 0), ([0, 100], 1), ([0, 100, 200, 5], 1), ([0, 100, 7], 2), ([0, 0, 100], 2)],
    ids=["right", "left out", "too many", "another", "twice"],
)
def test_whom_is_counted(numbers: list[int], wrongly: int):
    """As many messages are not enough: they must be about those who changed."""
    queue = Counted()
    for number in numbers:
        queue.send(json.dumps({"userId": user_id(number)}), delay_seconds=0)

    assert queue.wrongly(3) == wrongly


def what(rows: list[Row], *words: str) -> Row:
    (found,) = (row for row in rows if all(word in row.what for word in words))
    return found


def test_worst_round_counts():
    """Of counts and of Graph's time the worst round is told; of our own, the median."""
    bad = replace(SWEEP, calls=999, wrongly=3, graph_seconds=70, seconds=9.0, peak_mb=90.0)
    rows = list(of_size([SWEEP, bad, SWEEP]))

    calls, wrongly = what(rows, "calls to Graph"), what(rows, "wrongly")
    graph, ours = what(rows, "at least"), what(rows, "our own")
    assert (calls.figure, calls.goal) == (999, 11 + 10 * 50 + 1 + 5)
    assert (wrongly.figure, wrongly.goal) == (3, 0)
    assert (graph.figure, graph.goal) == (70, 3_600)
    assert (ours.figure, ours.low, ours.high, ours.goal) == (0.5, 0.5, 9.0, None)
    assert what(rows, "peak").figure == 34
    storage = what(rows, "storage")
    assert (storage.figure, storage.goal) == (230 - 2 * 100, 60)
    assert what(rows, "for an app").figure == 600


def test_growth_is_of_both_sizes():
    """Ten times the users may cost ten times the calls and, at the peak, hardly more memory."""
    larger = replace(SWEEP, users=100_000, calls=5_643, peak_mb=44.0)
    rows = list(growth([SWEEP], [larger]))

    calls, memory = what(rows, "calls"), what(rows, "memory")
    assert (calls.figure, calls.goal) == (11, 10)
    assert (memory.figure, memory.goal) == (10, TOLERANCE_MB + 1.98)


def test_largest_tenant_has_a_bound():
    """What a sweep of a million users holds is told beside what it may."""
    memory, wrongly = largest(Comparison(1_000_000, 10_000, 3, seconds=30.0, peak_mb=60.0))

    assert (memory.figure, memory.goal) == (60.0, 64)
    assert (wrongly.figure, wrongly.goal) == (3, 0)


def test_second_half_alone():
    """What Graph said is there already; whoever differs is queued, in a process of its own."""
    half = compared(3_000)

    assert (half.expected, half.wrongly) == (30, 0)
    assert half.peak_mb > 0
