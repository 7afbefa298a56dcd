"""How long a sweep would take Graph: a simulated clock."""

from __future__ import annotations

import pytest

from local.bench.sweep.graph_time import LATENCY, REQUESTS, WINDOW, GraphTime


@pytest.mark.parametrize(("batches", "rounds"), [(4, 1), (5, 2), (50, 13)])
def test_so_many_at_once(batches: int, rounds: int):
    """Requests beyond those at once wait until one of them is answered."""
    time = GraphTime(4, 0.5)
    time.photos(batches)

    assert time.seconds == pytest.approx(rounds * 0.5)


def test_page_waits_for_all_before():
    """The next page is asked for when the last batch is answered, and its batches after it."""
    time = GraphTime(4, 0.5)
    for _ in range(3):
        time.page()
        time.photos(1)

    assert time.seconds == pytest.approx(3 * LATENCY + 3 * 0.5)


def test_limit_of_a_window():
    """No more than the limit begin in any window; without one, none waits for it."""
    limited, free = GraphTime(REQUESTS, 0.5, limited=True), GraphTime(2 * REQUESTS, 0.5)
    for time in (limited, free):
        time.photos(REQUESTS + 1)

    assert limited.seconds == pytest.approx(WINDOW + 0.5)
    assert free.seconds == pytest.approx(0.5)
