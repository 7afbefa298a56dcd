"""Reads whole numbers from JSON, within the range that this app can produce."""

from __future__ import annotations

from typing import Any

# More than any number of users or attempts. Larger numbers overflow date arithmetic.
MOST = 1_000_000_000


def read(value: Any) -> int:
    """Return *value* if it is a whole number from 0 to MOST. Raises ValueError otherwise."""
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"Not a whole number from 0 to {MOST}.")
    return value
