"""`status` without a user: output and exit code."""

from __future__ import annotations

from typing import Any

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble
from tests.doubles.console_answers import NOON, entry, overview, person, sweep, users


def test_healthy_app(manage: Manage):
    """A healthy app: counts, queues, subscription, sweep, and code 0."""
    shown = ("synced", "photo-upkeep", "live until 2026-02-26 12:00:00Z", "2 new", "Nothing")
    assert_printed(manage("status"), 0, *shown, err="")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"subscription": None}, "There is no subscription"),
        ({"subscription": {"status": "failed", "detail": "No right."}}, "No right."),
        ({"subscription": {"status": "live", "expiresAt": "2026-01-31T11:00:00"}}, "expired"),
        ({"sweep": sweep(status="failed", detail="Page 3 was lost.")}, "Page 3 was lost."),
        ({"brake": {"engaged": True, "gone": 21, "managed": 99}}, "21 of 99"),
        ({"brake": {"engaged": True, "gone": 21}}, "To see who: manage.py users --gone."),
        (
            {"repairBrake": {"engaged": True, "detail": "34 of 40 differ."}},
            "34 of 40 differ. To see whose: manage.py users --differs.",
        ),
        ({"audit": {"status": "failed", "detail": "A page was lost."}}, "A page was lost."),
        ({"audit": {"status": "finished", "repair": False}, "differ": 3}, "differs: 3"),
        (
            {"brake": {"engaged": True, "left": 22}},
            "forgotten. To see who: manage.py users --status left.",
        ),
        ({"queues": {"photo-sync-poison": 2}}, "Messages in poison queues: 2"),
        ({"counts": {"failed": 3}, "failures": [entry(1)]}, "Failed users: 3"),
    ],
)
def test_something_to_do(manage: Manage, console: ConsoleDouble, change: dict[str, Any], text: str):
    """Everything that needs attention is under "To do", with code 1."""
    console.routes["GET", "overview"] = (200, overview(**change))
    result = manage("status")

    assert result.code == 1
    assert text in result.out.partition("To do:")[2]


def test_app_before_its_first_sweep(manage: Manage, console: ConsoleDouble):
    """Nothing is known before the first sweep, and that is shown without an error."""
    console.routes["GET", "overview"] = (200, {"counts": {}, "sweep": None, "unreadable": None})
    assert_printed(manage("status"), 1, "subscription  none")


def test_long_and_many_unreadable_messages(manage: Manage, console: ConsoleDouble):
    """The beginning of each message is shown, with its time, and the total number."""
    kept = {"name": "x", "reason": "Too long.", "body": "\x1b[31m" + "x" * 5000, "at": NOON}
    console.routes["GET", "overview"] = (200, overview(unreadable=[kept] * 10, unreadableCount=16))
    out = manage("status").out

    assert "Unreadable messages, 10 of 16 shown:" in out
    assert max(map(len, out.splitlines())) < 200
    assert "2026-01-31 12:00:00Z  \N{REPLACEMENT CHARACTER}[31mxxx" in out


def subscription(**changes: Any) -> dict[str, Any]:
    return {"subscription": {"checkedAt": NOON, "detail": "", **changes}}


AS_OF = ", as of 2026-01-31 12:00:00Z\n"
LIVE, EXPIRED = "2026-02-26T12:00:00Z", "2026-01-31T11:00:00Z"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        # Counts of a large tenant may be minutes old.
        ({"countedAt": NOON}, "Users:\n"),
        ({"countedAt": "2026-01-31T11:59:00Z"}, "Users, counted 2026-01-31 11:59:00Z:\n"),
        ({"groups": {"EXCLUDED_GROUP_ID": "0c-no"}}, "EXCLUDED_GROUP_ID  0c-no"),
        ({"sweep": sweep(status="running", gone=2)}, "2, decided at the end"),
        (subscription(status="live", expiresAt=LIVE), f"live until 2026-02-26 12:00:00Z{AS_OF}"),
        (subscription(status="live", expiresAt=EXPIRED), f"expired at 2026-01-31 11:00:00Z{AS_OF}"),
        (subscription(status="failed", expiresAt=LIVE), f"subscription  failed{AS_OF}"),
    ],
)
def test_details(manage: Manage, console: ConsoleDouble, change: dict[str, Any], text: str):
    """When users were counted, the groups in effect, and the stored state of the subscription."""
    console.routes["GET", "overview"] = (200, overview(**change))

    assert text in manage("status").out


def test_dry_run_and_unreadable_messages(manage: Manage, console: ConsoleDouble):
    """Both are shown, and neither causes code 1."""
    kept = {"name": "x", "reason": "It names nobody.", "body": "please sync anne"}
    console.routes["GET", "overview"] = (200, overview(dryRun=True, unreadable=[kept]))
    assert_printed(manage("status"), 0, "please sync anne", "DRY_RUN")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moment_out_of_range(manage: Manage, console: ConsoleDouble, moment: str):
    """A time that cannot be converted to UTC is shown as it is."""
    console.routes["GET", "users"] = (200, users(entry(1, checkedAt=moment)))

    assert moment in manage("failures").out


@pytest.mark.usefixtures("failed")
def test_json_everywhere(manage: Manage, console: ConsoleDouble):
    """With --json, before or behind the command, stdout is the answer as one document."""
    assert manage("status", "--json").document == overview()
    assert manage("--json", "status").document == overview()
    assert manage("status", "anne@contoso.com", "--json").document == person()
    assert manage("check", "anne@contoso.com", "--json").document == person()
    assert manage("doctor", "--json").document == {"ok": True, "checks": []}
    assert len(manage("failures", "--json").document) == 3
    assert manage("sweep", "--json").document == {"queued": True}


def test_precedence_of_options(manage, console, monkeypatch):
    """The environment gives way to an option, and that to one behind the command."""
    monkeypatch.setenv("PHOTOSYNC_URL", "https://environment.invalid")
    assert manage("--url", console.url, "status").code == 0
    assert manage("--url", "https://before.invalid", "status", "--url", console.url).code == 0


def test_fill(manage: Manage, console: ConsoleDouble):
    """While users wait for their first copy, it shows how many are queued, and the end."""
    fill = {"status": "running", "startedAt": NOON, "sent": 40, "found": 100, "isWhole": False}
    stages = {**fill, "eta": ""}, {**fill, "isWhole": True, "eta": NOON}, {"status": "finished"}
    console.answers("overview", *(overview(fill=stage) for stage in stages))
    early, late, end = (manage("status").out for _ in stages)

    assert "First copies, as fast as Microsoft allows" in early
    assert "40 of 100 so far" in early
    assert "expected end" not in early
    assert "expected end" in late
    assert "as fast as" not in end
