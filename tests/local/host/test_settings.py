"""host.json and local.settings.json: defaults, limits, refusals."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from local.host.refusal import Refused
from local.host.settings import (
    HostOptions,
    QueueOptions,
    body_limit,
    load_app_settings,
    load_host_options,
)


def options(folder: Path, content: object) -> HostOptions:
    (folder / "host.json").write_text(json.dumps(content))
    return load_host_options(folder)


def test_defaults_of_host_json(tmp_path):
    """An empty host.json means the documented defaults."""
    found = options(tmp_path, {"version": "2.0"})

    assert (found.route_prefix, found.log_level, found.bundle) == ("api", "Information", False)
    assert found.queues == QueueOptions(16, 8, 5, timedelta(), timedelta(minutes=1), base64=True)


def test_threshold_follows_batch_size(tmp_path):
    """newBatchThreshold is half of batchSize unless given."""
    queues = {"batchSize": 9, "visibilityTimeout": "00:00:30", "messageEncoding": "none"}

    found = options(tmp_path, {"version": "2.0", "extensions": {"queues": queues}}).queues

    assert (found.batch_size, found.new_batch_threshold, found.base64) == (9, 4, False)
    assert found.visibility_timeout == timedelta(seconds=30)


@pytest.mark.parametrize(
    "queues",
    [
        {"batchSize": 0},
        {"batchSize": 33},
        {"batchSize": "8"},
        {"newBatchThreshold": -1},
        {"maxDequeueCount": 0},
        {"visibilityTimeout": "30"},
        {"maxPollingInterval": "00:00:00.05"},
        {"messageEncoding": "utf-8"},
    ],
)
def test_bad_queue_option_is_refused_by_name(tmp_path, queues):
    """
    The sentence names the key of host.json. The real host accepts two of these (`"8"`, and `"30"`
    as thirty days), and with the others answers 503 to everything.
    """
    with pytest.raises(Refused, match=next(iter(queues))):
        options(tmp_path, {"version": "2.0", "extensions": {"queues": queues}})


@pytest.mark.parametrize("mode", ["Otel", "", 3, None])
def test_telemetry_modes(tmp_path, mode):
    """
    Both modes are known, ignoring case. The real host silently treats any other as
    ApplicationInsights; this one does not.
    """
    for known in ("OpenTelemetry", "openTelemetry", "ApplicationInsights"):
        assert options(tmp_path, {"version": "2.0", "telemetryMode": known}).route_prefix == "api"
    with pytest.raises(Refused, match="telemetryMode must be ApplicationInsights or OpenTelemetry"):
        options(tmp_path, {"version": "2.0", "telemetryMode": mode})


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"version": "1.0"}'])
def test_broken_host_json_is_refused(tmp_path, text):
    """No file, invalid JSON, no object, or no version 2.0."""
    if text is not None:
        (tmp_path / "host.json").write_text(text)

    with pytest.raises(Refused, match="host.json is missing" if text is None else "host.json"):
        load_host_options(tmp_path)


def test_app_settings_are_the_values(tmp_path):
    """Only Values counts, and its members are strings."""
    path = tmp_path / "local.settings.json"
    path.write_text('{"IsEncrypted": false, "Values": {"A": "1"}, "Host": {}}')
    assert load_app_settings(path) == {"A": "1"}

    for bad in ('{"IsEncrypted": true}', '{"Values": {"A": 1}}'):
        path.write_text(bad)
        with pytest.raises(Refused):
            load_app_settings(path)


def test_limit_of_a_request():
    """The limit is 100 MB unless the app setting gives a number of bytes."""
    name = "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"

    assert body_limit({}) == body_limit({name: ""}) == 104_857_600
    assert body_limit({name: "1048576"}) == 1_048_576
    for odd in ("1 MB", "-1", "1e6", "\u0661"):
        with pytest.raises(Refused, match=name):
            body_limit({name: odd})
