"""Queries of the workbook, run over what the product really sent."""

from __future__ import annotations

import re

import pytest

from tests.shared.telemetry.workspace import NAMES, WEBHOOK, Workspace, query

ALERTS_ONLY = {"failed-photos", "no-sweep", "subscription-expiring", "slow-webhook"}


@pytest.mark.parametrize("name", sorted({*NAMES} - ALERTS_ONLY - {"webhook"}))
def test_every_picture_shows_something(logged, name):
    """After an eventful day no query of the workbook is empty, nor is any of its columns."""
    rows = logged.ask(query(name))

    assert rows
    assert [each for each in rows[0] if all(row[each] in {None, ""} for row in rows)] == []


def test_how_long_a_change_takes(eventful):
    """The chart shows the notified change, in seconds."""
    [row] = eventful.workspace.ask(query("change-duration"))

    assert row["Photos"] == 1
    assert 0 < row["P50"] == row["P95"] < 30


def test_photos_by_outcome(eventful):
    """The sums of the chart equal the counts in the log."""
    sums: dict[str, float] = {}
    for row in eventful.workspace.ask(query("outcomes")):
        sums[row["Outcome"]] = sums.get(row["Outcome"], 0) + row["Photos"]
    logged = [re.match(r"photo\.([\w-]+) ", line) for line in eventful.lines()]
    words = [found[1] for found in logged if found]

    assert sums == {word: words.count(word) for word in words}
    assert {"synced", "unchanged", "failed", "waiting", "parked"} <= sums.keys()


def test_waits_by_service(eventful):
    """SharePoint, which asked to wait, is in the chart once."""
    rows = eventful.workspace.ask(query("waits"))

    assert sum(row["Waits"] for row in rows if row["Service"] == "sharepoint") == 1


def test_sweeps_are_finished(eventful):
    """The newest sweep is the one with the brake; its progress ended at 100 percent."""
    newest = eventful.workspace.ask(query("sweeps"))[0]

    assert newest["Removals"] == "braked"
    assert newest["Gone"] == newest["Users"] - 3
    assert max(row["Percent"] for row in eventful.workspace.ask(query("sweep-progress"))) == 100


@pytest.mark.parametrize("name", WEBHOOK)
def test_webhook_latency(name):
    """The chart shows requests to the webhook and no others."""
    workspace = Workspace()
    workspace.put("AppRequests", Name=name, DurationMs=30.0, ItemCount=1)
    workspace.put("AppRequests", Name="GET /api/health", DurationMs=9e3, ItemCount=1)

    [row] = workspace.ask(query("webhook"))
    assert (row["P95"], row["Requests"]) == (30.0, 1)


def test_problems(logged):
    """Events that no other query shows are listed by name, with what they say."""
    events = {row["Event"] for row in logged.ask(query("problems"))}

    assert {"settings.wrong", "upkeep.failed", "upkeep.crashed", "photo.crashed"} <= events
    assert {"notifications.rejected", "sweep.failed", "telemetry.failed"} <= events
    assert not events & {"photo.failed", "photo.synced", "photo.parked"}
