"""
What is counted, for charts over time: names, units and attributes are a contract.

The API alone does nothing and costs almost nothing; `exporters` puts it to use. No attribute
identifies a user: users are not numbers to sum up, and belong in no chart.
"""

from __future__ import annotations

from opentelemetry.metrics import get_meter

_meter = get_meter("photosync")

# From a change processed within a second to one found by the next sweep, or after an outage.
_SECONDS = [0.5, 1, 2, 3, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600]

photos = _meter.create_counter(
    "photosync.photos", unit="{photo}", description="Messages about a user, by outcome"
)
change_duration = _meter.create_histogram(
    "photosync.change.duration",
    unit="s",
    description="Time from queueing a change to the end of the run that wrote to SharePoint",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
waits = _meter.create_counter(
    "photosync.waits",
    unit="{wait}",
    description="Deferred messages, by the service that asked to wait",
)
sweep_users = _meter.create_counter(
    "photosync.sweep.users", unit="{user}", description="Users checked by sweeps"
)
audited = _meter.create_counter(
    "photosync.audited",
    unit="{user}",
    description="Users whose SharePoint picture was checked, by result",
)
sweep_progress = _meter.create_gauge(
    "photosync.sweep.progress",
    unit="1",
    description="Fraction of the sweep that is done, estimated from the size of the last one",
)
