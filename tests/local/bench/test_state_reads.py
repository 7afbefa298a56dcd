"""What is said of reading each state by itself."""

from __future__ import annotations

from local.bench.sweep import state_reads


def test_reads_stand_beside_a_listing():
    """The figure is the median of the reads, its floor that of the listings."""
    row = state_reads._row([5.0, 1.0, 3.0], [0.6, 0.1, 0.2])

    assert (row.figure, row.low, row.high) == (3.0, 1.0, 5.0)
    assert (row.floor, row.met) == (0.2, None)
