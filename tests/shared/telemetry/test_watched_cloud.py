"""What arrives where somebody watches, after a real change went through the real engine."""

from __future__ import annotations

import re
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.shared.telemetry.eventful import Eventful

UNITS = {
    "photosync.photos": "{photo}",
    "photosync.change.duration": "s",
    "photosync.waits": "{wait}",
    "photosync.sweep.users": "{user}",
    "photosync.audited": "{user}",
    "photosync.sweep.progress": "1",
}
ATTRIBUTES = {
    "photosync.photos": {"outcome"},
    "photosync.change.duration": {"reason"},
    "photosync.waits": {"service"},
    "photosync.sweep.users": set(),
    "photosync.audited": {"result"},
    "photosync.sweep.progress": set(),
}
EVENT = re.compile(r"[a-z]+\.[a-z-]+( [\w.-]+=(\"[^\"]*\"|\S+))*")


def newest(eventful: Eventful) -> dict[str, Metric]:
    """Each metric as a collector knew it last."""
    return {metric.name: metric for metric in eventful.receiver.metrics()}


def points(metric: Metric) -> list[Any]:
    kind = metric.WhichOneof("data")
    return list(getattr(metric, str(kind)).data_points)


def by_attribute(metric: Metric, name: str) -> dict[str, float]:
    return {
        next(each.value.string_value for each in point.attributes if each.key == name): (
            point.as_int
        )
        for point in points(metric)
    }


# A collector, by OTLP


def test_names_and_units(eventful):
    """A collector gets the six metrics of the contract, each in its unit, and no others."""
    assert {name: metric.unit for name, metric in newest(eventful).items()} == UNITS
    assert all(metric.description for metric in newest(eventful).values())


def test_attributes(eventful):
    """Each metric has the attribute of the contract and none besides: nothing says who."""
    found = {
        name: {each.key for point in points(metric) for each in point.attributes}
        for name, metric in newest(eventful).items()
    }

    assert found == ATTRIBUTES


def test_audited_users_by_what_was_found(eventful):
    """Whoever was looked at is counted once, by what SharePoint showed."""
    counted = by_attribute(newest(eventful)["photosync.audited"], "result")

    assert counted == {"right": 2, "differ": 0, "unclear": 0, "unanswered": 0}


def test_photos_are_those_of_the_log(eventful):
    """What was counted is what was logged, outcome by outcome."""
    logged: dict[str, int] = {}
    for line in eventful.lines():
        found = re.match(r"photo\.([\w-]+) ", line)
        if found:
            logged[found[1]] = logged.get(found[1], 0) + 1

    assert by_attribute(newest(eventful)["photosync.photos"], "outcome") == logged
    assert {"synced", "unchanged", "failed", "waiting", "parked"} <= logged.keys()


def test_seconds_from_notification_to_sharepoint(eventful):
    """The histogram counts each change that was written, in seconds, from its queueing."""
    histogram = newest(eventful)["photosync.change.duration"].histogram
    notified = [
        point
        for point in histogram.data_points
        if point.attributes[0].value.string_value == "notification"
    ]

    [point] = notified
    assert point.count == 1
    assert 0 < point.sum < 30
    assert list(point.explicit_bounds)[:3] == [0.5, 1, 2]


def test_waits_name_the_service(eventful):
    """The service that asked for patience is SharePoint, once."""
    assert by_attribute(newest(eventful)["photosync.waits"], "service")["sharepoint"] == 1


def test_sweeps_are_counted(eventful):
    """Every user of every page is counted once."""
    [point] = points(newest(eventful)["photosync.sweep.users"])
    users = [re.search(r"users=(\d+)", line) for line in eventful.lines() if "sweep.fin" in line]

    assert point.as_int == sum(int(found[1]) for found in users if found) > 0


def test_finished_sweep_is_all_of_it(eventful):
    """The progress ends at one."""
    values = [
        point.as_double
        for metric in eventful.receiver.metrics()
        if metric.name == "photosync.sweep.progress"
        for point in points(metric)
    ]

    assert values[-1] == 1.0
    assert all(0 <= value <= 1 for value in values)


def test_log_by_otlp(eventful):
    """A collector gets every line of the log too, with its severity."""
    records = {each.body.string_value: each.severity_text for each in eventful.receiver.records()}

    assert set(eventful.lines()) <= records.keys()
    [failed] = [text for text in records if text.startswith("photo.failed ")]
    assert records[failed] == "ERROR"


# Application Insights


def test_events_arrive_as_text(eventful):
    """Application Insights gets each line once, as it stands in the log: `event key=value`."""
    # Not in one order: runs that end at once log at once.
    assert sorted(eventful.receiver.messages()) == sorted(eventful.lines())
    assert [line for line in eventful.lines() if not EVENT.fullmatch(line)] == []


def test_severity(eventful):
    """What failed is an error there, too, and what is news is not."""
    levels = {
        item["data"]["baseData"]["message"].split()[0]: item["data"]["baseData"]["severityLevel"]
        for item in eventful.receiver.envelopes("MessageData")
    }

    assert {levels[each] for each in ("photo.failed", "photo.parked", "sweep.braked")} == {3}
    assert {levels[each] for each in ("photo.synced", "sweep.finished")} == {1}


def test_metrics_in_application_insights(eventful):
    """The same metrics under the same names; a histogram without its buckets."""
    found = [
        (point, item["data"]["baseData"]["properties"])
        for item in eventful.receiver.envelopes("MetricData")
        for point in item["data"]["baseData"]["metrics"]
    ]

    assert {point["name"] for point, _ in found} == UNITS.keys()
    assert {point["name"]: set(told) for point, told in found} == ATTRIBUTES
    [duration] = [
        point
        for point, told in found
        if point["name"] == "photosync.change.duration" and told["reason"] == "notification"
    ]
    assert duration.keys() == {"name", "value", "count", "min", "max"}


def test_nothing_else_is_sent(eventful):
    """No dependency, no request, no exception and no live metric: nothing that we did not write."""
    kinds = {
        kind
        for kind in ("RequestData", "RemoteDependencyData", "ExceptionData", "EventData")
        if eventful.receiver.envelopes(kind)
    }

    assert kinds == set()
    assert eventful.receiver.paths() == {"/v2.1/track", "/v1/logs", "/v1/metrics"}


def test_nothing_private_is_sent(eventful):
    """No key, no clientState, nobody's address and no certificate is in what was sent."""
    sent = b"".join(
        each.body for path in eventful.receiver.paths() for each in eventful.receiver.sent(path)
    )
    at = eventful.cloud.at
    private = {
        "key": at.key,
        "clientState": at.client_state,
        "UPN": eventful.upn,
        "storage": at.storage.partition("AccountKey=")[2].partition(";")[0],
        "bearer": "Bearer ",
        "jpeg": "/9j/",
    }

    assert [what for what, secret in private.items() if secret.encode() in sent] == []
    assert b"@contoso.com" not in sent
