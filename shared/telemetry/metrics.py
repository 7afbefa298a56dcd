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
    "photosync.photos", unit="{photo}", description="Messages about a user, by how they ended"
)
change_duration = _meter.create_histogram(
    "photosync.change.duration",
    unit="s",
    description="From the queueing of a change to the end of the run that wrote SharePoint",
    explicit_bucket_boundaries_advisory=_SECONDS,
)
waits = _meter.create_counter(
    "photosync.waits", unit="{wait}", description="Messages put off, by the service that asked"
)
sweep_users = _meter.create_counter(
    "photosync.sweep.users", unit="{user}", description="Users that sweeps have looked at"
)
audited = _meter.create_counter(
    "photosync.audited",
    unit="{user}",
    description="Users whose picture in SharePoint was looked at, by what was found",
)
sweep_progress = _meter.create_gauge(
    "photosync.sweep.progress",
    unit="1",
    description="How much of the sweep is done, judged by the number of users of the last one",
)
