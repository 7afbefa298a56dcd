"""A whole rehearsal, with the commands that `up` prints: dry run, report, then real copies."""

from __future__ import annotations

import html
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.terminal.shell import Shell
from local.cloud.endpoints import Endpoints
from local.demo import people
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher
from tests import REPO
from tests.local.cloud.test_stack import Up

pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(sys.platform != "linux", reason="reads /proc"),
]
# She has a photo and a profile, and is in scope.
ANNE = "anne@contoso.com"


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(tmp_path_factory.mktemp("rehearsal"), "--set", "DRY_RUN=true")
    yield up
    up.process.terminate()
    assert up.process.wait(60) == 0


def pasted(up: Up) -> list[str]:
    """The commands that `up` prints for a rehearsal, each with the exports before it."""
    lines = [line.strip() for line in up.output.read_text().splitlines()]
    exports = "\n".join(line for line in lines if line.startswith("export "))
    text = "\n".join(lines).partition("DRY_RUN is on")[2]
    return [
        f"{exports}\n{line}"
        for line in text.splitlines()
        if line.startswith(Shell.here().word(sys.executable))
    ]


def test_rehearsal(rehearsal: Up):
    """Nothing is written before DRY_RUN is off; then exactly what the report showed is written."""
    rehearsal.ready()
    folder = rehearsal.folder / "cloud"
    at = Endpoints.load(folder / "endpoints.json")
    admin = TenantClient(at, at.client_id, Path(at.client_certificate))
    watcher = Watcher(at.storage, admin, folder / "host.log")
    look, report, let_it_write, copy = pasted(rehearsal)

    def run(command: str) -> str:
        """Run *command* in a shell; returns its stderr."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=REPO, check=True, capture_output=True, text=True
        )
        return done.stderr

    run(look)
    watcher.until(list)
    assert not admin.shown(ANNE).files
    # Longer than the app waits itself: it answers with the time, and the command waits.
    busy = {"service": "graph", "path": r"/photo/\$value$", "fault": "429", "retryAfter": 11}
    admin.control("POST", "/faults", {**busy, "next": 1})
    assert "Retrying in" in run(report)
    page = html.unescape((folder / "report.html").read_text("utf-8"))
    would = [each for each in watcher.states().values() if each["reason"] == "dry-run"]
    assert would
    assert all(str(each["userPrincipalName"]) in page for each in would)
    assert page.count("data:image/jpeg") >= len(would)

    run(let_it_write)
    watcher.until(lambda: [] if "has restarted" in rehearsal.output.read_text() else ["the app"])
    run(copy)
    watcher.until(list)
    states = watcher.states()
    assert {states[str(each["userId"])]["status"] for each in would} == {"synced"}
    assert set(admin.shown(ANNE).files) == set("SML")
    assert len(would) <= len(people.PEOPLE)
