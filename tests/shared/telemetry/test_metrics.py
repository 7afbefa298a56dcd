"""What is counted, and where: at the end of a message, of a page, of a wait."""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import AccessDenied, ServiceDown, Throttled
from shared.messages.upkeep_message import SWEEP_PAGE, UpkeepMessage
from shared.sweeping.sweep_log import FINISHED, SweepLog
from shared.telemetry import metrics
from tests import REPO
from tests.doubles.office import ANNE, NOON, failing
from tests.shared.copying.runs import NEW, message
from tests.shared.sweeping.sweeping_alone import Sweeping, result
from tests.shared.upkeep.test_upkeep import Office as UpkeepOffice

SHARED = REPO / "shared"


def test_photos_by_outcome(office, counted):
    """Each message counts once, by the word that its log line begins with."""
    office.process()
    office.process()
    office.process("?")
    office.worker.park(ANNE.id.encode())
    office.exchange.upload(NEW)
    office.sharepoint.plan_error = AccessDenied("No role.")
    office.process()

    found = {
        attributes: n for (name, attributes), n in counted().items() if name == "photosync.photos"
    }
    words = ("synced", "unchanged", "unreadable", "parked", "failed")
    assert found == {f"outcome={word}": 1 for word in words}


def test_crash(office, counted, caplog):
    """A bug is counted; its one log line names the place and not the error's text."""
    office.process()
    office.exchange.upload(NEW)
    office.sharepoint.at_write[2] = failing(ZeroDivisionError("anne@contoso.com"))
    counted()

    with pytest.raises(ZeroDivisionError):
        office.process(message())

    assert counted() == {("photosync.photos", "outcome=crashed"): 1}
    [line] = caplog.messages
    assert line.startswith("photo.crashed correlation=from-the-webhook error=ZeroDivisionError at=")
    assert "anne" not in line


def test_duration_counts_from_the_first_queueing(office, counted):
    """A change's age counts from its first message; a run that wrote nothing adds none."""
    queued = (NOON - timedelta(seconds=90)).isoformat()
    office.process(message(reason="notification", firstQueuedAt=queued, attempt=3))

    assert counted()["photosync.change.duration", "reason=notification"] == 90
    office.process()
    assert {name for name, _ in counted()} == {"photosync.photos"}


def test_waits_by_service(office, counted):
    """A deferred message counts for the service that asked to wait."""
    office.exchange.error = Throttled("Busy.", service="graph")
    office.process(message())

    assert counted() == {
        ("photosync.photos", "outcome=waiting"): 1,
        ("photosync.waits", "service=graph"): 1,
    }


def test_waits_of_upkeep(counted):
    """A deferred message of upkeep counts too."""
    office = UpkeepOffice()
    office.sweeps.error = ServiceDown("Down.", service="sharepoint")
    office.process(UpkeepMessage(SWEEP_PAGE, sweep_id="s1", page=3))

    assert counted() == {("photosync.waits", "service=sharepoint"): 1}


def test_sweep(monkeypatch):
    """Each page of a sweep counts its users, and says how much of the sweep is done."""
    users: list[int] = []
    progress: list[float] = []
    monkeypatch.setattr(metrics.sweep_users, "add", users.append)
    # Not read from `counted`: a gauge keeps its value for the tests that follow.
    monkeypatch.setattr(metrics.sweep_progress, "set", progress.append)
    Sweeping(result(users=3), result()).run()

    assert (sum(users), progress[-1]) == (4, 1)


@pytest.mark.parametrize(
    ("log", "progress"),
    [
        (SweepLog("s", "t", "t"), 0.0),
        (SweepLog("s", "t", "t", users=50), 0.0),
        (SweepLog("s", "t", "t", users=50, expected_users=200), 0.25),
        (SweepLog("s", "t", "t", users=900, expected_users=200), 0.99),
        (SweepLog("s", "t", "t", users=900, status=FINISHED), 1.0),
    ],
)
def test_progress_of_a_sweep(log, progress):
    """Progress reaches 1 only when the sweep has finished, whatever the last sweep found."""
    assert log.progress() == progress


@pytest.mark.parametrize("path", sorted(SHARED.rglob("*.py")), ids=lambda path: path.name)
def test_every_wait_names_its_service(path: Path):
    """Each error that makes a message wait names its service, or it would count as our own."""
    ours = {"ClaimHeld", "ClaimLost", "Conflict"}
    waits = {"Throttled", "ServiceDown", "Unanswered", "later"} - ours
    calls = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in waits
    ]
    nameless = [call.lineno for call in calls if "service" not in {k.arg for k in call.keywords}]

    assert nameless == []
