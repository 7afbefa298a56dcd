"""
Creates the exporters of log records and counters to Application Insights or to a collector.

The only module that imports the SDK. Application Insights is called with the managed identity that
APPLICATIONINSIGHTS_AUTHENTICATION_STRING names, as the host does for its own telemetry
(functions.md, Telemetry).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.metrics import set_meter_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, LogRecordExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from shared.session import OneHostSession
from shared.telemetry.telemetry import APPLICATION_INSIGHTS, COLLECTOR, Send

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

_AUTHENTICATION = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
_SEVERITY = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class Destination(NamedTuple):
    logs: LogRecordExporter
    metrics: MetricExporter


def start(env: Mapping[str, str]) -> Send:
    """
    Start exporting what this process counts; return the function that sends a log record.

    Raises ImportError if a package is missing, ValueError if a setting is unusable.
    """
    # Every request of every export would add a dozen lines to the host's own log.
    for chatty in ("azure.core", "azure.monitor"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app = env.get("OTEL_SERVICE_NAME") or env.get("WEBSITE_SITE_NAME") or "photosync"
    resource = Resource.create({SERVICE_NAME: app})
    destinations = list(_destinations(env))
    readers = [PeriodicExportingMetricReader(each.metrics) for each in destinations]
    set_meter_provider(MeterProvider(readers, resource))
    provider = LoggerProvider(resource)
    for each in destinations:
        provider.add_log_record_processor(BatchLogRecordProcessor(each.logs))
    logger = provider.get_logger("photosync")

    def send(record: logging.LogRecord) -> None:
        # The text alone: the record's other fields are file paths and thread numbers.
        logger.emit(
            LogRecord(
                timestamp=int(record.created * 1e9),
                severity_text=record.levelname,
                severity_number=_SEVERITY.get(record.levelno, SeverityNumber.INFO),
                body=record.getMessage(),
            )
        )

    return send


def _destinations(env: Mapping[str, str]) -> Iterator[Destination]:
    connection = env.get(APPLICATION_INSIGHTS, "").strip()
    if connection:
        from azure.monitor.opentelemetry.exporter import (
            AzureMonitorLogExporter,
            AzureMonitorMetricExporter,
        )

        identity = _identity(env.get(_AUTHENTICATION, ""))
        yield Destination(
            AzureMonitorLogExporter(connection_string=connection, credential=identity),
            AzureMonitorMetricExporter(connection_string=connection, credential=identity),
        )
    if env.get(COLLECTOR, "").strip():
        # Not deployed unless asked for: it needs protobuf, and the worker brings its own.
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        yield Destination(OTLPLogExporter(), OTLPMetricExporter())


def _identity(setting: str) -> TokenCredential | None:
    """The managed identity that *setting* names, `Authorization=AAD;ClientId=...`; None if none."""
    named = dict(part.strip().partition("=")[::2] for part in setting.split(";"))
    fields = {name.lower(): value for name, value in named.items()}
    if fields.get("authorization") != "AAD":
        return None
    from azure.core.pipeline.transport import RequestsTransport
    from azure.identity import ManagedIdentityCredential

    # The exporter's own would ask the machine's proxy, which then holds the app's identity header.
    transport = RequestsTransport(session=OneHostSession())
    return ManagedIdentityCredential(client_id=fields.get("clientid") or None, transport=transport)
