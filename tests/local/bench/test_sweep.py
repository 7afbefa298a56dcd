"""What the bench counts of a sweep is exact, so that it can be asserted."""

from __future__ import annotations

import json

import pytest

from local.bench.sweep import sweep_process
from local.bench.sweep.sweep import BYTES_A_USER, measured
from local.bench.sweep.sweep_world import Counted, user_id

pytestmark = pytest.mark.server

# An allocator's noise.
TOLERANCE_MB = 4.0


def test_calls_of_a_sweep():
    """
    A call to Graph for each page, for each twenty users of it and of those checked by id. No state
    of a user who has not changed is read.
    """
    figures = sweep_process.main(1_500)

    assert figures.calls == (1 + 50) + (1 + 26) + 5
    assert (figures.queued, figures.expected, figures.wrongly) == (15, 15, 0)
    # The newest sweep is looked up, and one is begun; each run reads and writes the log, the first
    # keeps a part, and the second reads and drops it and lists the states.
    fixed = (1 + 2) + 2 * 2 + 3 + 1
    assert figures.storage_calls == fixed + 3 * 2 + 2 * figures.expected


def test_memory_stays_flat():
    """
    Four times as many users, and pages, take no more memory than what is kept of each; what this
    process holds does not count.
    """
    kept = bytearray(300_000_000)
    few, many = measured(10_000), measured(40_000)

    assert 0 < few.peak_mb < 200 < len(kept) / 1e6
    assert many.peak_mb - few.peak_mb < TOLERANCE_MB + 30_000 * BYTES_A_USER / 1e6


@pytest.mark.parametrize(
    ("numbers", "wrongly"),
    [([0, 100, 200], 0), ([0, 100], 1), ([0, 100, 200, 5], 1), ([0, 100, 7], 2), ([0, 0, 100], 2)],
    ids=["right", "left out", "too many", "another", "twice"],
)
def test_each_user_is_compared(numbers: list[int], wrongly: int):
    """The right number of messages is not enough: they must be about the users who changed."""
    queue = Counted()
    for number in numbers:
        queue.send(json.dumps({"userId": user_id(number)}), delay_seconds=0)

    assert queue.wrongly(3) == wrongly
