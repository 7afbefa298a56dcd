"""A reader of what this process counts, and a running cloud whose telemetry is received."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    InMemoryMetricReader,
    NumberDataPoint,
)

from local.cloud.stack import Stack
from local.cloud.undisturbed import NO_TIMERS
from tests.e2e.cloud import LiveCloud
from tests.shared.telemetry.eventful import Eventful
from tests.shared.telemetry.producers import RARE
from tests.shared.telemetry.receivers import receiving
from tests.shared.telemetry.workspace import Workspace

_DELTA: dict[type, AggregationTemporality] = {
    Counter: AggregationTemporality.DELTA,
    Histogram: AggregationTemporality.DELTA,
}


class Counted:
    """What was counted since the last call, as {(metric, attributes): value}."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def __call__(self) -> dict[tuple[str, str], float]:
        data = self._reader.get_metrics_data()
        found: dict[tuple[str, str], float] = {}
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        labels = " ".join(f"{k}={v!s}" for k, v in (point.attributes or {}).items())
                        found[metric.name, labels] = (
                            point.value if isinstance(point, NumberDataPoint) else point.sum
                        )
        return found


@pytest.fixture(scope="session")
def reader() -> InMemoryMetricReader:
    # Once per process: the API does not allow it to be replaced.
    reader = InMemoryMetricReader(preferred_temporality=_DELTA)
    set_meter_provider(MeterProvider([reader]))
    return reader


@pytest.fixture
def counted(reader: InMemoryMetricReader) -> Counted:
    counted = Counted(reader)
    counted()  # discards what earlier tests counted
    return counted


@pytest.fixture(scope="session")
def eventful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eventful]:
    """A cloud in which every event that an operator cares about has happened once."""
    with receiving() as receiver:
        settings = {
            **NO_TIMERS,
            # As in infra/function_app.bicep, except for the identity, which needs HTTPS.
            "PYTHON_ENABLE_OPENTELEMETRY": "true",
            "APPLICATIONINSIGHTS_CONNECTION_STRING": receiver.connection_string,
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
            "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_METRIC_EXPORT_INTERVAL": "500",
            "OTEL_BLRP_SCHEDULE_DELAY": "200",
        }
        with Stack(tmp_path_factory.mktemp("watched"), settings=settings) as stack:
            eventful = Eventful(LiveCloud(stack), receiver)
            eventful.happen()
            yield eventful


class Lines(logging.Handler):
    """Keeps the text of each record."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.kept: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record.getMessage())


@pytest.fixture(scope="session")
def lines(eventful: Eventful) -> list[str]:
    """Log lines of an eventful day and of rare faults, all logged by the product."""
    handler = Lines()
    log = logging.getLogger("photosync")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    for happen in RARE:
        happen()
    log.removeHandler(handler)
    log.setLevel(level)
    return eventful.lines() + handler.kept


@pytest.fixture(scope="session")
def logged(eventful: Eventful, lines: list[str]) -> Workspace:
    """Log Analytics with the metrics of that day, and with these lines as errors."""
    workspace = Workspace()
    workspace.ingest(eventful.receiver.envelopes("MetricData"))
    for line in lines:
        workspace.log(line, level=3)
    return workspace
