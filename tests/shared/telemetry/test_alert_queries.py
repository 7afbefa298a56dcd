"""Queries of alerts, run over what the product really sent: each row is an alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.shared.telemetry.eventful import Eventful
from tests.shared.telemetry.workspace import NAMES, WEBHOOK, Workspace, query

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def quiet(eventful: Eventful) -> Workspace:
    """A day without faults: the eventful one without the lines that report any."""
    wrong = ("photo.failed", "photo.parked", "upkeep.parked", "sweep.braked")
    workspace = Workspace()
    messages = eventful.receiver.envelopes("MessageData")
    workspace.ingest(
        each for each in messages if not each["data"]["baseData"]["message"].startswith(wrong)
    )
    return workspace


def test_failures(eventful, quiet):
    """A failed user is listed with the reason; without failures there is no row."""
    [row] = eventful.workspace.ask(query("failures"))

    assert (row["User"], row["Runs"]) == (eventful.bert, 1)
    assert "photo" in row["Why"]
    assert quiet.ask(query("failures")) == []


def test_newest_reason_of_a_failure():
    """A user who fails again is one row, with the newest reason."""
    workspace = Workspace()
    for hours, why in ((2, "first"), (1, "second")):
        workspace.log(f'photo.failed user=a correlation=b why="{why}"', ago=hours * HOUR, level=3)

    [row] = workspace.ask(query("failures"))
    assert (row["Runs"], row["Why"]) == (2, "second")


@pytest.mark.parametrize(
    ("users", "runs", "in_scope", "alerts"),
    [
        (1, 30, 10, False),
        (2, 1, 2, False),
        (3, 1, 60, True),
        (3, 1, 61, False),
        (9, 1, None, False),
        (10, 1, 100_000, True),
        (10, 1, None, True),
    ],
)
def test_failed_photos(users: int, runs: int, in_scope: int | None, alerts: bool):
    """One corrupt photo is no alert, however often it fails; ten are, or three of few users."""
    workspace = Workspace()
    if in_scope is not None:
        workspace.log(f"sweep.finished id=old users=1 inScope={9 * in_scope}", ago=9 * HOUR)
        workspace.log(f"sweep.finished id=new users=1 inScope={in_scope}", ago=HOUR)
    for user in range(users):
        for _ in range(runs):
            workspace.log(f'photo.failed user={user} correlation=b why="x"', ago=HOUR, level=3)

    assert bool(workspace.ask(query("failed-photos"))) is alerts


def test_parked_messages(eventful, quiet):
    """Messages that the host gave up on are listed, from both queues; otherwise there is no row."""
    rows = eventful.workspace.ask(query("parked-messages"))

    assert {row["Event"] for row in rows} == {"photo.parked", "upkeep.parked"}
    assert quiet.ask(query("parked-messages")) == []


def test_brake(eventful, quiet):
    """A sweep that holds removals back is listed with its sentence."""
    [row] = eventful.workspace.ask(query("brake"))

    assert row["Event"] == "sweep.braked"
    assert row["Id"] == eventful.cloud.watcher.sweep()["id"]
    assert "None is removed until a person releases the removals" in row["Why"]
    assert quiet.ask(query("brake")) == []


def test_brake_of_an_audit(logged):
    """An audit that holds repairs back is listed too."""
    found = {row["Event"]: row["Why"] for row in logged.ask(query("brake"))}

    assert "No more are repaired until a person releases the repairs" in found["audit.braked"]


def test_brake_that_was_released_long_ago(eventful):
    """A brake that no later sweep reports is no longer an alert."""
    assert eventful.workspace_after(2 * HOUR).ask(query("brake")) == []


@pytest.mark.parametrize(("ago", "found"), [(HOUR, 0), (2 * HOUR, 1), (DAY, 1)])
def test_no_sweep(eventful, ago, found):
    """The alert fires unless a sweep has finished within twice the period."""
    assert len(eventful.workspace_after(ago).ask(query("no-sweep"))) == found


def test_started_sweep_is_no_finished_one():
    """A sweep that starts every hour and never finishes is an alert."""
    workspace = Workspace()
    workspace.log("sweep.started id=20260101T000000-a")
    workspace.log('sweep.failed id=20260101T000000-a why="No role."', level=3)

    assert len(workspace.ask(query("no-sweep"))) == 1


def test_silent_app():
    """An app that has logged nothing for days raises two alerts."""
    empty = Workspace()
    loud = {name for name in NAMES if empty.ask(query(name))}

    assert loud == {"no-sweep", "subscription-expiring"}


@pytest.mark.parametrize(
    ("checked", "left", "found"),
    [
        (HOUR, 20 * DAY, 0),
        (HOUR, 3 * DAY, 0),
        (HOUR, DAY, 1),
        (HOUR, -DAY, 1),
        (3 * DAY, 20 * DAY, 1),
    ],
    ids=["fine", "three days", "one day", "over", "no check"],
)
@pytest.mark.parametrize("how", ["created", "renewed", "kept"])
def test_subscription(how, checked, left, found):
    """It is an alert if less than two days are left, or if no check was logged for two days."""
    workspace = Workspace()
    expires = (datetime.now(UTC) + left).isoformat()
    workspace.log(f"subscription.{how} id=a expires={expires}", ago=checked)

    assert len(workspace.ask(query("subscription-expiring"))) == found


def test_newest_subscription_counts():
    """A new subscription with little time left is not hidden by an older one."""
    workspace = Workspace()
    for ago, left in ((12 * HOUR, 20 * DAY), (HOUR, DAY)):
        expires = (datetime.now(UTC) + left).isoformat()
        workspace.log(f"subscription.created id=a expires={expires}", ago=ago)

    assert len(workspace.ask(query("subscription-expiring"))) == 1


def test_subscription_of_the_running_cloud(eventful):
    """The real subscription is no alert today, and one if nothing more is logged for three days."""
    assert eventful.workspace.ask(query("subscription-expiring")) == []
    assert len(eventful.workspace_after(3 * DAY).ask(query("subscription-expiring"))) == 1


@pytest.mark.parametrize("name", WEBHOOK)
@pytest.mark.parametrize(
    ("slow", "requests", "found"), [(0, 100, 0), (4, 100, 0), (6, 100, 1), (5, 5, 0), (20, 20, 1)]
)
def test_slow_webhook(name, slow, requests, found):
    """More than one slow request in twenty is an alert, unless there are only a few requests."""
    workspace = Workspace()
    for number in range(requests):
        took = 2500.0 if number < slow else 40.0
        workspace.put("AppRequests", Name=name, DurationMs=took, ItemCount=1)
        # Slow requests to the console do not count.
        workspace.put("AppRequests", Name="GET /api/console/doctor", DurationMs=9e3, ItemCount=1)

    assert len(workspace.ask(query("slow-webhook"))) == found
