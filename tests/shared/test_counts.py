"""Whole numbers out of JSON."""

from __future__ import annotations

import pytest

from shared import counts


@pytest.mark.parametrize("value", [0, 1, 1_000_000_000])
def test_count(value):
    """A number that somebody may have counted is one."""
    assert counts.read(value) == value


@pytest.mark.parametrize(
    "value", [-1, 1_000_000_001, 10**11, 1.0, float("inf"), float("nan"), True, "1", None, [1]]
)
def test_no_count(value):
    """What nobody can have counted is refused, whatever it is."""
    with pytest.raises(ValueError, match="whole number"):
        counts.read(value)
