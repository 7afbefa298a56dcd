"""
Stands where Application Insights and an OpenTelemetry collector stand: keeps what is sent.

It decodes with the protocol's own messages (opentelemetry-proto) and knows nothing of the product.
"""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

KEY = "00000000-0000-4000-8000-000000000001"

Envelope = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """One request: what stood in it, and who said to have sent it."""

    path: str
    body: bytes
    authorization: str


class Receiver:
    """A context manager; `url` is its address, and both kinds of telemetry are taken."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._sent: list[Sent] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def connection_string(self) -> str:
        """As Application Insights would have it."""
        return f"InstrumentationKey={KEY};IngestionEndpoint={self.url}/;LiveEndpoint={self.url}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sent(self, path: str) -> list[Sent]:
        """What came to *path*, in order."""
        return [each for each in list(self._sent) if each.path == path]

    def paths(self) -> set[str]:
        return {each.path for each in list(self._sent)}

    def envelopes(self, kind: str) -> list[Envelope]:
        """Application Insights' items of one kind, such as MessageData or MetricData."""
        found = [item for sent in self.sent("/v2.1/track") for item in json.loads(sent.body)]
        return [item for item in found if item["data"]["baseType"] == kind]

    def messages(self) -> list[str]:
        """The text of every log record that Application Insights was sent."""
        return [item["data"]["baseData"]["message"] for item in self.envelopes("MessageData")]

    def metrics(self) -> Iterator[Metric]:
        """Every metric that a collector was sent, oldest first."""
        for sent in self.sent("/v1/metrics"):
            request = ExportMetricsServiceRequest.FromString(sent.body)
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    assert scope.scope.name == "photosync"
                    yield from scope.metrics

    def records(self) -> Iterator[LogRecord]:
        """Every log record that a collector was sent."""
        for sent in self.sent("/v1/logs"):
            request = ExportLogsServiceRequest.FromString(sent.body)
            for resource in request.resource_logs:
                for scope in resource.scope_logs:
                    yield from scope.log_records

    def wait_for(self, condition: Callable[[], object], seconds: float = 120) -> None:
        """Wait until what came fulfils *condition*."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"never came; there were {self.paths()}"
            # Tests ask for conditions of every kind, so that no single event could end the wait.
            time.sleep(0.05)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        kept = self._sent

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                path = self.path.partition("?")[0]
                kept.append(Sent(path, body, self.headers.get("Authorization", "")))
                count = body.count(b'"baseType"')
                told = {"itemsReceived": count, "itemsAccepted": count, "errors": []}
                # An empty answer is a whole one in protobuf.
                answer = json.dumps(told).encode() if path.endswith("/track") else b""
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
