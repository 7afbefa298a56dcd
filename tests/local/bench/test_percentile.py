"""Percentiles of what was measured."""

from __future__ import annotations

import pytest

from local.bench.measuring.percentile import percentile


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (95, 95), (99, 99)])
def test_percentile_of_many(percent: int, value: float):
    """Of a hundred steps so many per cent lie below the value."""
    assert percentile(range(101), percent) == value


def test_percentile_of_few():
    """Of few values it lies between the two nearest, and their order does not matter."""
    assert percentile([20.0, 10.0], 90) == pytest.approx(19.0)
