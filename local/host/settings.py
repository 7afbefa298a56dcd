"""The app's configuration: app settings, host.json, and references to settings."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from local.host.refusal import Refused, switched_off

_REFERENCE = re.compile(r"%([^%]+)%")
_DURATION = re.compile(r"(?:(\d+)\.)?(\d{1,2}):([0-5]\d):([0-5]\d)(?:\.(\d{1,7}))?")
_TRUE = {"1", "true"}
# The real host's limit if nothing is set (functions.md section HTTP).
_DEFAULT_BODY_LIMIT = 104_857_600


def load_app_settings(path: Path) -> dict[str, str]:
    """Read the `Values` of a local.settings.json, which become environment variables."""
    content = _read_json(path)
    if content.get("IsEncrypted"):
        raise Refused(f"{path.name} is encrypted; the local host reads only plain settings")
    values = content.get("Values", {})
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise Refused(f"{path.name}: Values must be an object of texts")
    return values


def expand(text: str, settings: Mapping[str, str], function: str) -> str:
    """Replace each %NAME% by that app setting, or refuse *function*."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in settings:
            raise switched_off(function, f"%{name}% names no app setting")
        return settings[name]

    return _REFERENCE.sub(value, text)


def disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Whether AzureWebJobs.<function>.Disabled is 1 or true, ignoring case."""
    wanted = f"azurewebjobs.{function}.disabled".lower()
    return any(k.lower() == wanted and v.strip().lower() in _TRUE for k, v in settings.items())


def body_limit(settings: Mapping[str, str]) -> int:
    """The most bytes in a request: FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, as in the real host."""
    name = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"
    text = settings.get(name, "").strip() or str(_DEFAULT_BODY_LIMIT)
    if not (text.isascii() and text.isdecimal()):
        raise Refused(f"{name} must be a whole number of bytes")
    return int(text)


def connection_string(name: str, settings: Mapping[str, str], function: str) -> str:
    """
    The storage connection string that a binding's `connection` refers to.

    Documented: Azure/azure-webjobs-sdk, WebJobsConfigurationExtensions: the name prefixed with
    AzureWebJobs is looked up before the name itself; an empty name means AzureWebJobsStorage.
    """
    name = name or "AzureWebJobsStorage"
    for key in (f"AzureWebJobs{name}", name):
        if settings.get(key):
            return settings[key]
    if any(key.startswith(f"{name}__") for key in settings):
        raise Refused(
            f"Function '{function}': connection {name} uses an identity; "
            "the local host supports only connection strings"
        )
    raise switched_off(function, f"the connection setting {name} is missing")


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues` of host.json, with the real defaults (facts: storage-queue trigger)."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: timedelta = timedelta()
    max_polling_interval: timedelta = timedelta(minutes=1)
    base64: bool = True


@dataclass(frozen=True)
class HostOptions:
    """The part of host.json that this host obeys; the rest is for Azure."""

    route_prefix: str = "api"
    queues: QueueOptions = field(default_factory=QueueOptions)
    log_level: str = "Information"
    bundle: bool = False
    open_telemetry: bool = False
    function_timeout: timedelta | None = timedelta(minutes=30)  # None: no limit


def load_host_options(app: Path) -> HostOptions:
    """Read host.json in the app's folder, or refuse what the real host would refuse."""
    path = app / "host.json"
    if not path.exists():
        raise Refused(f"host.json is missing beside function_app.py in {app}")
    content = _read_json(path)
    if content.get("version") != "2.0":
        raise Refused('host.json must say "version": "2.0"')
    telemetry_mode = _telemetry_mode(content)
    extensions = content.get("extensions", {})
    levels = content.get("logging", {}).get("logLevel", {})
    return HostOptions(
        route_prefix=extensions.get("http", {}).get("routePrefix", "api").strip("/"),
        queues=_queue_options(extensions.get("queues", {})),
        bundle="extensionBundle" in content,
        open_telemetry=telemetry_mode == "opentelemetry",
        log_level=levels.get("Function", levels.get("default", "Information")),
        function_timeout=_function_timeout(content),
    )


def _function_timeout(content: Mapping[str, Any]) -> timedelta | None:
    """
    The time limit of one run: 30 minutes unless host.json sets it, as on Flex Consumption.

    Documented: ScriptJobHostOptionsSetup.cs: "-1" is no limit, and the minimum is one second.
    """
    given = str(content.get("functionTimeout", "00:30:00"))
    if given == "-1":
        return None
    match = _DURATION.fullmatch(given)
    limit = _span(match) if match else timedelta()
    if limit < timedelta(seconds=1):
        raise Refused("host.json: functionTimeout must be a time span of a second or more, or -1")
    return limit


def _telemetry_mode(content: Mapping[str, Any]) -> str:
    """
    The mode in lower case; refuses one that the host does not know.

    Documented: TelemetryMode.cs of Azure/azure-functions-host, read without regard to case. The
    mode also selects where the host sends its own telemetry, and this host sends none.
    """
    modes = ("ApplicationInsights", "OpenTelemetry")
    mode = content.get("telemetryMode", modes[0])
    if not isinstance(mode, str) or mode.lower() not in {each.lower() for each in modes}:
        raise Refused(
            f"host.json: telemetryMode must be {' or '.join(modes)}; the real host would "
            f"silently use {modes[0]}"
        )
    return mode.lower()


def _queue_options(given: Mapping[str, Any]) -> QueueOptions:
    batch = _whole_number(given, "batchSize", default=16, low=1, high=32)
    encoding = given.get("messageEncoding", "base64")
    if encoding not in ("none", "base64"):
        raise Refused("host.json: extensions.queues.messageEncoding must be none or base64")
    return QueueOptions(
        batch_size=batch,
        new_batch_threshold=_whole_number(given, "newBatchThreshold", default=batch // 2, low=0),
        max_dequeue_count=_whole_number(given, "maxDequeueCount", default=5, low=1),
        visibility_timeout=_duration(given, "visibilityTimeout", default="00:00:00"),
        max_polling_interval=_polling_interval(given),
        base64=encoding == "base64",
    )


def _polling_interval(given: Mapping[str, Any]) -> timedelta:
    interval = _duration(given, "maxPollingInterval", default="00:01:00")
    # Documented: QueuesOptions.MaxPollingInterval refuses values below the minimum of 100 ms.
    if interval < timedelta(milliseconds=100):
        raise Refused("host.json: extensions.queues.maxPollingInterval must be at least 100 ms")
    return interval


def _whole_number(
    given: Mapping[str, Any], key: str, *, default: int, low: int, high: int | None = None
) -> int:
    value = given.get(key, default)
    if type(value) is not int or value < low or (high is not None and value > high):
        limit = f"{low} to {high}" if high is not None else f"{low} or more"
        note = "; the real host also accepts digits in quotes" if isinstance(value, str) else ""
        raise Refused(f"host.json: extensions.queues.{key} must be a whole number, {limit}{note}")
    return value


def _duration(given: Mapping[str, Any], key: str, *, default: str) -> timedelta:
    match = _DURATION.fullmatch(str(given.get(key, default)))
    if match is None:
        raise Refused(
            f"host.json: extensions.queues.{key} must be a time span, hh:mm:ss; the real host "
            "reads a bare number as days"
        )
    return _span(match)


def _span(match: re.Match[str]) -> timedelta:
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds) + int(fraction.ljust(7, "0")) / 10**7,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except ValueError as error:
        raise Refused(f"{path.name} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise Refused(f"{path.name} must hold a JSON object")
    return content
