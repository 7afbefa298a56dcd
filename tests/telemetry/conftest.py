"""A reader of what is counted in this process, and the running cloud with somebody watching it."""

from __future__ import annotations

import pytest
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    NumberDataPoint,
)

_DELTA: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
}


class Counted:
    """What was counted since it was last asked, as {(metric, attributes): value}."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def __call__(self) -> dict[tuple[str, str], float]:
        data = self._reader.get_metrics_data()
        found: dict[tuple[str, str], float] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        told = " ".join(f"{k}={v!s}" for k, v in (point.attributes or {}).items())
                        found[metric.name, told] = (
                            point.value if isinstance(point, NumberDataPoint) else point.sum
                        )
        return found


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    # Once for the process: the API lets nobody take another's place.
    reader = InMemoryMetricReader(preferred_temporality=_DELTA)
    set_meter_provider(MeterProvider([reader]))
    return reader


@pytest.fixture
def counted(reader: InMemoryMetricReader) -> Counted:
    counted = Counted(reader)
    counted()  # what earlier tests have counted
    return counted
