"""Queries of the workbook, run over what the product really told."""

from __future__ import annotations

import re

import pytest

from tests.shared.telemetry.workspace import NAMES, WEBHOOK, Workspace, query

ALERTS_ONLY = {"failed-photos", "no-sweep", "subscription-expiring", "slow-webhook"}


@pytest.mark.parametrize("name", sorted({*NAMES} - ALERTS_ONLY - {"webhook"}))
def test_every_picture_shows_something(eventful, lines, name):
    """After an eventful day nothing in the workbook is empty, and no column is for nothing."""
    workspace = Workspace()
    workspace.ingest(eventful.receiver.envelopes("MetricData"))
    for line in lines:
        workspace.log(line, level=3)
    rows = workspace.ask(query(name))

    assert rows
    assert [each for each in rows[0] if all(row[each] in {None, ""} for row in rows)] == []


def test_how_long_a_change_takes(eventful):
    """The picture shows the change that a notification told of, in seconds."""
    [row] = eventful.workspace.ask(query("change-duration"))

    assert row["Photos"] == 1
    assert 0 < row["P50"] == row["P95"] < 30


def test_photos_by_outcome(eventful):
    """The picture's sums are what the log has."""
    sums: dict[str, float] = {}
    for row in eventful.workspace.ask(query("outcomes")):
        sums[row["Outcome"]] = sums.get(row["Outcome"], 0) + row["Photos"]
    logged = [re.match(r"photo\.([\w-]+) ", line) for line in eventful.lines()]
    words = [found[1] for found in logged if found]

    assert sums == {word: words.count(word) for word in words}


def test_waits_by_service(eventful):
    """SharePoint, which asked for patience, is in the picture."""
    rows = eventful.workspace.ask(query("waits"))

    assert sum(row["Waits"] for row in rows if row["Service"] == "sharepoint") == 1


def test_sweeps_are_finished(eventful):
    """The newest sweep is the one that braked; its progress ended at a hundred percent."""
    newest = eventful.workspace.ask(query("sweeps"))[0]

    assert newest["Removals"] == "braked"
    assert newest["Gone"] == newest["Users"] - 3
    assert max(row["Percent"] for row in eventful.workspace.ask(query("sweep-progress"))) == 100


@pytest.mark.parametrize("name", WEBHOOK)
def test_webhook_latency(name):
    """The picture shows the webhook and nobody else."""
    workspace = Workspace()
    workspace.put("AppRequests", Name=name, DurationMs=30.0, ItemCount=1)
    workspace.put("AppRequests", Name="GET /api/health", DurationMs=9e3, ItemCount=1)

    [row] = workspace.ask(query("webhook"))
    assert (row["P95"], row["Requests"]) == (30.0, 1)


def test_problems_in_the_words_of_the_app(lines):
    """What no other picture shows is listed by what it is, and what it says."""
    workspace = Workspace()
    for line in lines:
        workspace.log(line, level=3)
    events = {row["Event"] for row in workspace.ask(query("problems"))}

    assert {"settings.wrong", "upkeep.failed", "upkeep.crashed", "photo.crashed"} <= events
    assert {"notifications.rejected", "sweep.failed", "telemetry.failed"} <= events
    assert not events & {"photo.failed", "photo.synced", "photo.parked"}
