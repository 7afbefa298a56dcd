"""Whole numbers out of JSON: only such as we would have counted ourselves."""

from __future__ import annotations

from typing import Any

# More than there are users or tries. Beyond, times are reckoned that no calendar has.
MOST = 1_000_000_000


def read(value: Any) -> int:
    """*value*, if it is a whole number from 0 to MOST. Raises ValueError for anything else."""
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"Not a whole number from 0 to {MOST}.")
    return value
