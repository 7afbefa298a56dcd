"""The value below which a given percentage of the values lie."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """*percent* is between 1 and 99; the result is interpolated between the two nearest values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
