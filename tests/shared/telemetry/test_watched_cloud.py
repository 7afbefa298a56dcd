"""
What both destinations receive after a real change went through the real engine.

The fixture waits until both have received every line and the counts that the log has.
"""

from __future__ import annotations

import re

from tests.shared.telemetry.eventful import Eventful

# The unit and the attributes of each metric.
CONTRACT: dict[str, tuple[str, set[str]]] = {
    "photosync.photos": ("{photo}", {"outcome"}),
    "photosync.change.duration": ("s", {"reason"}),
    "photosync.waits": ("{wait}", {"service"}),
    "photosync.sweep.users": ("{user}", set()),
    "photosync.audited": ("{user}", {"result"}),
    "photosync.sweep.progress": ("1", set()),
}
EVENT = re.compile(r"[a-z]+\.[a-z-]+( [\w.-]+=(\"[^\"]*\"|\S+))*")


# A collector, by OTLP


def test_contract(eventful: Eventful):
    """A collector gets these six metrics with unit, description and attributes, and no others."""
    metrics = eventful.receiver.metrics()
    found = {
        name: (
            metric.unit,
            {each.key for point in eventful.receiver.points(name) for each in point.attributes},
        )
        for name, metric in metrics.items()
    }

    assert found == CONTRACT
    assert all(metric.description for metric in metrics.values())


def test_audited_users_by_result(eventful: Eventful):
    """Each audited user is counted once, by what SharePoint showed."""
    counted = {
        point.attributes[0].value.string_value: point.as_int
        for point in eventful.receiver.points("photosync.audited")
    }

    assert counted == {"right": 2, "differ": 0, "unclear": 0, "unanswered": 0}


def test_seconds_from_notification_to_sharepoint(eventful: Eventful):
    """The histogram counts each change that was written, in seconds since it was queued."""
    [point] = [
        point
        for point in eventful.receiver.points("photosync.change.duration")
        if point.attributes[0].value.string_value == "notification"
    ]

    assert point.count == 1
    assert 0 < point.sum < 30
    assert list(point.explicit_bounds)[:3] == [0.5, 1, 2]


def test_log_by_otlp(eventful: Eventful):
    """A collector gets every line of the log too, with its severity."""
    records = {each.body.string_value: each.severity_text for each in eventful.receiver.records()}

    assert set(eventful.lines()) <= records.keys()
    [failed] = [text for text in records if text.startswith("photo.failed ")]
    assert records[failed] == "ERROR"


# Application Insights


def test_events_arrive_as_text(eventful: Eventful):
    """Application Insights gets each line once, as it is in the log: `event key=value`."""
    # The order differs: runs that end at the same time log at the same time.
    assert sorted(eventful.receiver.messages()) == sorted(eventful.lines())
    assert [line for line in eventful.lines() if not EVENT.fullmatch(line)] == []


def test_severity(eventful: Eventful):
    """Failures arrive as errors, other events as information."""
    levels = {
        item["data"]["baseData"]["message"].split()[0]: item["data"]["baseData"]["severityLevel"]
        for item in eventful.receiver.envelopes("MessageData")
    }

    assert {levels[each] for each in ("photo.failed", "photo.parked", "sweep.braked")} == {3}
    assert {levels[each] for each in ("photo.synced", "sweep.finished")} == {1}


def test_metrics_in_application_insights(eventful: Eventful):
    """The same metrics arrive under the same names; a histogram without its buckets."""
    found = [
        (point, item["data"]["baseData"]["properties"])
        for item in eventful.receiver.envelopes("MetricData")
        for point in item["data"]["baseData"]["metrics"]
    ]

    assert {point["name"]: set(labels) for point, labels in found} == {
        name: attributes for name, (_, attributes) in CONTRACT.items()
    }
    [duration] = [
        point
        for point, labels in found
        if point["name"] == "photosync.change.duration" and labels["reason"] == "notification"
    ]
    assert duration.keys() == {"name", "value", "count", "min", "max"}


def test_nothing_else_is_sent(eventful: Eventful):
    """No dependency, request, exception or live metric is sent: nothing that we did not write."""
    kinds = ("RequestData", "RemoteDependencyData", "ExceptionData", "EventData")

    assert [kind for kind in kinds if eventful.receiver.envelopes(kind)] == []
    assert eventful.receiver.paths() == {"/v2.1/track", "/v1/logs", "/v1/metrics"}


def test_nothing_private_is_sent(eventful: Eventful):
    """No key, clientState, address or picture is sent."""
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
