"""What the bench counts is exact, so that it can be asserted; times never are."""

from __future__ import annotations

from local.bench import sweep_process
from local.bench.sweep import measured


def test_sweep_asks_once_for_twenty_users():
    """A sweep of two pages: each page, and each twenty users of a page, cost one call."""
    figures = sweep_process.main(1_500)

    assert figures.calls == (1 + 50) + (1 + 26)
    assert figures.queued == figures.expected == 15


def test_each_size_has_a_process_of_its_own():
    """What one sweep held in memory does not show in the figures of the next."""
    figures = measured(100)

    assert figures.users == 100
    assert figures.peak_mb > 0
