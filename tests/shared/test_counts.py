"""Whole numbers from JSON."""

from __future__ import annotations

import pytest

from shared import counts


@pytest.mark.parametrize("value", [0, 1, 1_000_000_000])
def test_count(value):
    """A number in the app's range is returned."""
    assert counts.read(value) == value


@pytest.mark.parametrize(
    "value", [-1, 1_000_000_001, 10**11, 1.0, float("inf"), float("nan"), True, "1", None, [1]]
)
def test_no_count(value):
    """Anything else is refused."""
    with pytest.raises(ValueError, match="whole number"):
        counts.read(value)
