"""Queries of alerts, run over what the product really told: a row is an alert."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.shared.telemetry.eventful import Eventful
from tests.shared.telemetry.workspace import NAMES, WEBHOOK, Workspace, query

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def quiet(eventful: Eventful) -> Workspace:
    """A day on which nothing was wrong: the lines and counts of the eventful one that say so."""
    wrong = ("photo.failed", "photo.parked", "upkeep.parked", "sweep.braked")
    workspace = Workspace()
    messages = eventful.receiver.envelopes("MessageData")
    workspace.ingest(
        each for each in messages if not each["data"]["baseData"]["message"].startswith(wrong)
    )
    return workspace


def test_failures(eventful, quiet):
    """Who failed is there with the reason; where nobody failed, there is nothing."""
    [row] = eventful.workspace.ask(query("failures"))

    assert (row["User"], row["Runs"]) == (eventful.bert, 1)
    assert "photo" in row["Why"]
    assert quiet.ask(query("failures")) == []


def test_newest_reason_of_a_failure():
    """A user who fails again is one row, with what was said last."""
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
    """One corrupt photo is no alert, however often it is tried; ten are, or three of a few."""
    workspace = Workspace()
    if in_scope is not None:
        workspace.log(f"sweep.finished id=old users=1 inScope={9 * in_scope}", ago=9 * HOUR)
        workspace.log(f"sweep.finished id=new users=1 inScope={in_scope}", ago=HOUR)
    for user in range(users):
        for _ in range(runs):
            workspace.log(f'photo.failed user={user} correlation=b why="x"', ago=HOUR, level=3)

    assert bool(workspace.ask(query("failed-photos"))) is alerts


def test_parked_messages(eventful, quiet):
    """What the host gave up on is there, of both queues; where there is nothing, nothing."""
    rows = eventful.workspace.ask(query("parked-messages"))

    assert {row["Event"] for row in rows} == {"photo.parked", "upkeep.parked"}
    assert quiet.ask(query("parked-messages")) == []


def test_brake(eventful, quiet):
    """The sweep that held removals back is there, with its sentence."""
    [row] = eventful.workspace.ask(query("brake"))

    assert row["Event"] == "sweep.braked"
    assert row["Id"] == eventful.cloud.watcher.sweep()["id"]
    assert "None is removed until a person releases the removals" in row["Why"]
    assert quiet.ask(query("brake")) == []


def test_brake_of_an_audit(lines):
    """An audit that holds repairs back is there, too."""
    workspace = Workspace()
    for line in lines:
        workspace.log(line, level=3)
    found = {row["Event"]: row["Why"] for row in workspace.ask(query("brake"))}

    assert "No more are repaired until a person releases the repairs" in found["audit.braked"]


def test_brake_that_was_released_long_ago(eventful):
    """What a later sweep does not say again is no alert any more."""
    workspace = Workspace()
    workspace.ingest(eventful.receiver.envelopes("MessageData"), ago=2 * HOUR)

    assert workspace.ask(query("brake")) == []


@pytest.mark.parametrize(("ago", "found"), [(HOUR, 0), (2 * HOUR, 1), (DAY, 1)])
def test_no_sweep(eventful, ago, found):
    """Sweeps that finished within twice the period keep the alert away, and nothing else does."""
    workspace = Workspace()
    workspace.ingest(eventful.receiver.envelopes("MessageData"), ago=ago)

    assert len(workspace.ask(query("no-sweep"))) == found


def test_started_sweep_is_no_finished_one():
    """A sweep that begins every hour and never ends is an alert."""
    workspace = Workspace()
    workspace.log("sweep.started id=20260101T000000-a")
    workspace.log('sweep.failed id=20260101T000000-a why="No role."', level=3)

    assert len(workspace.ask(query("no-sweep"))) == 1


def test_nothing_at_all_is_two_alerts():
    """An app that has not said a word for days is noticed."""
    empty = Workspace()
    loud = {name for name in NAMES if empty.ask(query(name))}

    assert loud == {"no-sweep", "subscription-expiring"}


@pytest.mark.parametrize(
    ("looked", "left", "found"),
    [
        (HOUR, 20 * DAY, 0),
        (HOUR, 3 * DAY, 0),
        (HOUR, DAY, 1),
        (HOUR, -DAY, 1),
        (3 * DAY, 20 * DAY, 1),
    ],
    ids=["fine", "three days", "one day", "over", "nobody looked"],
)
@pytest.mark.parametrize("how", ["created", "renewed", "kept"])
def test_subscription(how, looked, left, found):
    """It is an alert if less than two days are left, or if nobody has looked for two days."""
    workspace = Workspace()
    expires = (datetime.now(UTC) + left).isoformat()
    workspace.log(f"subscription.{how} id=a expires={expires}", ago=looked)

    assert len(workspace.ask(query("subscription-expiring"))) == found


def test_newest_word_about_the_subscription_counts():
    """A subscription that was made anew with little life left is not hidden by its forerunner."""
    workspace = Workspace()
    for ago, left in ((12 * HOUR, 20 * DAY), (HOUR, DAY)):
        expires = (datetime.now(UTC) + left).isoformat()
        workspace.log(f"subscription.created id=a expires={expires}", ago=ago)

    assert len(workspace.ask(query("subscription-expiring"))) == 1


def test_subscription_of_the_running_cloud(eventful):
    """The one that the product really made is no alert today, and one in a month."""
    assert eventful.workspace.ask(query("subscription-expiring")) == []
    later = Workspace()
    later.ingest(eventful.receiver.envelopes("MessageData"), ago=3 * DAY)
    assert len(later.ask(query("subscription-expiring"))) == 1


@pytest.mark.parametrize("name", WEBHOOK)
@pytest.mark.parametrize(
    ("slow", "requests", "found"), [(0, 100, 0), (4, 100, 0), (6, 100, 1), (5, 5, 0), (20, 20, 1)]
)
def test_slow_webhook(name, slow, requests, found):
    """More than one in twenty over two seconds is an alert, but for a handful of requests."""
    workspace = Workspace()
    for number in range(requests):
        took = 2500.0 if number < slow else 40.0
        workspace.put("AppRequests", Name=name, DurationMs=took, ItemCount=1)
        # The console may take its time.
        workspace.put("AppRequests", Name="GET /api/console/doctor", DurationMs=9e3, ItemCount=1)

    assert len(workspace.ask(query("slow-webhook"))) == found
