"""
Stands in for Application Insights and an OpenTelemetry collector, and keeps what it receives.

It decodes with the protocol's own messages (opentelemetry-proto) and does not import the product.
"""

from __future__ import annotations

import gzip
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.doubles.web_server import Request, reply, web_server

KEY = "00000000-0000-4000-8000-000000000001"

Envelope = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """One request, with its Authorization header."""

    path: str
    body: bytes
    authorization: str


class Receiver:
    """Accepts both kinds of telemetry at `url`."""

    url: str

    def __init__(self) -> None:
        self._sent: list[Sent] = []

    @property
    def connection_string(self) -> str:
        """In the format of Application Insights."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/;LiveEndpoint={self.url}/"

    def sent(self, path: str) -> list[Sent]:
        """The requests to *path*, in order."""
        return [each for each in list(self._sent) if each.path == path]

    def paths(self) -> set[str]:
        return {each.path for each in list(self._sent)}

    def envelopes(self, kind: str) -> list[Envelope]:
        """Application Insights' items of one kind, such as MessageData or MetricData."""
        found = [item for sent in self.sent("/v2.1/track") for item in json.loads(sent.body)]
        return [item for item in found if item["data"]["baseType"] == kind]

    def messages(self) -> list[str]:
        """The text of every log record that Application Insights received."""
        return [item["data"]["baseData"]["message"] for item in self.envelopes("MessageData")]

    def metrics(self) -> dict[str, Metric]:
        """Each metric as the collector received it last, by name."""
        newest: dict[str, Metric] = {}
        for sent in self.sent("/v1/metrics"):
            request = ExportMetricsServiceRequest.FromString(sent.body)
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    assert scope.scope.name == "photosync"
                    newest |= {metric.name: metric for metric in scope.metrics}
        return newest

    def points(self, name: str) -> list[Any]:
        """The data points of the metric *name*, as the collector received it last."""
        metric = self.metrics().get(name, Metric())
        kind = metric.WhichOneof("data")
        return list(getattr(metric, kind).data_points) if kind else []

    def records(self) -> Iterator[LogRecord]:
        """Every log record that the collector received."""
        for sent in self.sent("/v1/logs"):
            request = ExportLogsServiceRequest.FromString(sent.body)
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    yield from scope.log_records

    def wait_for(self, condition: Callable[[], object], seconds: float = 120) -> None:
        """Wait until *condition* is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"never came; there were {self.paths()}"
            # Tests wait for conditions of every kind, so no single event could end the wait.
            time.sleep(0.05)

    def take(self, request: Request) -> None:
        """Keep *request* and accept it."""
        body = request.rfile.read(int(request.headers["Content-Length"]))
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        path = request.path.partition("?")[0]
        self._sent.append(Sent(path, body, request.headers.get("Authorization", "")))
        answer = b""  # a valid message in protobuf
        if path.endswith("/track"):
            count = body.count(b'"baseType"')
            accepted = {"itemsReceived": count, "itemsAccepted": count, "errors": []}
            answer = json.dumps(accepted).encode()
        reply(request, 200, answer, Content_Type="application/json")


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a Receiver, with HTTPS if *tls* is given."""
    receiver = Receiver()
    with web_server(receiver.take, tls) as receiver.url:
        yield receiver
