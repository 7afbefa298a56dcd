"""The value below which so many per cent of the others lie."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def percentile(values: Sequence[float], percent: int) -> float:
    """Between 1 and 99; of few values it lies between the two nearest."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
