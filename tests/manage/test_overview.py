"""`status`, `check`, `doctor` and `failures`: what they say, and what their exit code means."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from tests.manage.conftest import Manage
from tests.manage.console_double import NOON, Asked, ConsoleDouble, entry, overview, person, sweep

PHOTO = "GET", "users/anne%40contoso.com"


def test_all_is_well(manage: Manage):
    """A healthy app: counts, queues, subscription, sweep, and code 0."""
    said = manage("status")

    assert said.code == 0
    assert said.err == ""
    for told in ("synced", "photo-upkeep", "live until 2026-05-30 12:00:00Z", "2 new", "Nothing"):
        assert told in said.out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"subscription": None}, "Graph tells of no change yet"),
        ({"subscription": {"status": "failed", "detail": "No right."}}, "No right."),
        ({"subscription": {"status": "live", "expiresAt": "2026-05-04T11:00:00"}}, "expired"),
        ({"sweep": sweep(status="failed", detail="Page 3 was lost.")}, "Page 3 was lost."),
        ({"brake": {"engaged": True, "gone": 21, "managed": 99}}, "21 of 99"),
        ({"queues": {"photo-sync-poison": 2}}, "Messages in poison queues: 2"),
        ({"counts": {"failed": 3}, "failures": [entry(1)]}, "Failed users: 3"),
    ],
)
def test_something_to_do(manage: Manage, console: ConsoleDouble, change: dict[str, Any], told: str):
    """Whatever a person should look after is told under "To do", and is code 1."""
    console.routes["GET", "overview"] = (200, overview(**change))
    said = manage("status")

    assert said.code == 1
    assert told in said.out.partition("To do:")[2]


def test_an_app_that_has_done_nothing_yet(manage: Manage, console: ConsoleDouble):
    """Nothing is known before the first sweep, and that is shown without an error."""
    console.routes["GET", "overview"] = (200, {"counts": {}, "sweep": None, "unreadable": None})
    said = manage("status")

    assert said.code == 1
    assert "subscription  none" in said.out


@pytest.mark.parametrize(
    ("counted", "title"),
    [(NOON, "Users:"), ("2026-05-04T11:59:00Z", "Users, counted 2026-05-04 11:59:00Z:")],
)
def test_counts_that_are_old(manage: Manage, console: ConsoleDouble, counted: str, title: str):
    """Counts of a large tenant may be minutes old; then it is said of when they are."""
    console.routes["GET", "overview"] = (200, overview(countedAt=counted))

    assert manage("status").out.startswith(title)


def test_dry_run_and_unreadable_messages(manage: Manage, console: ConsoleDouble):
    """Both are shown, and neither alone is a reason for code 1."""
    kept = {"name": "x", "reason": "It names nobody.", "body": "please sync anne"}
    console.routes["GET", "overview"] = (200, overview(dryRun=True, unreadable=[kept]))
    said = manage("status")

    assert said.code == 0
    assert "please sync anne" in said.out
    assert "DRY_RUN" in said.out


def test_one_user(manage: Manage):
    """Both sides, the difference, what is remembered, and the history."""
    said = manage("status", "anne@contoso.com")

    assert said.code == 0
    for told in ("Both sides show", "a_MThumb.jpg", "63913492800", "Anne Other", "Copied."):
        assert told in said.out


@pytest.mark.parametrize("command", ["status", "check"])
def test_sides_that_differ(manage: Manage, console: ConsoleDouble, command: str):
    """If the sides differ, the app's sentence is shown, and the code is 1."""
    told = "SharePoint shows another picture than Exchange."
    console.routes[PHOTO] = (200, person(agree=False, difference=told))
    said = manage(command, "anne@contoso.com")

    assert said.code == 1
    assert told in said.out


@pytest.mark.parametrize("command", ["status", "check"])
def test_user_of_whom_little_is_known(manage: Manage, console: ConsoleDouble, command: str):
    """A user without state, profile or even account is shown, and differs if the app says so."""
    nobody = person(user=None, state=None, profile=None, history=[], agree=False, difference="")
    console.routes[PHOTO] = (200, nobody)
    said = manage(command, "anne@contoso.com")

    assert said.code == 1
    assert "not in the tenant" in said.out
    assert "The sides differ." in said.out


def test_agreement_and_failure_are_two_things(manage: Manage, console: ConsoleDouble):
    """`check` asks only whether the sides agree; `status` also whether the last run failed."""
    error = {"code": "x", "message": "The photo cannot be read.", "at": "2026-05-04T12:00:00"}
    state = {**person()["state"], "status": "failed", "lastError": error}
    console.routes[PHOTO] = (200, person(state=state))

    assert manage("check", "anne@contoso.com").code == 0
    said = manage("status", "anne@contoso.com")
    assert said.code == 1
    assert "The photo cannot be read." in said.out


@pytest.mark.parametrize(
    ("user", "path"),
    [
        ("o'hara@contoso.com", "o%27hara%40contoso.com"),
        ("ann_x.com#EXT#@contoso.com", "ann_x.com%23EXT%23%40contoso.com"),
        ("a/../b?c=d&e@contoso.com", "a%2F..%2Fb%3Fc%3Dd%26e%40contoso.com"),
        ("50%41 jürgen@contoso.com", "50%2541%20j%C3%BCrgen%40contoso.com"),
    ],
)
def test_odd_names_arrive_whole(manage: Manage, console: ConsoleDouble, user: str, path: str):
    """A name is one piece of the path, whatever characters it has."""
    console.routes["GET", f"users/{path}"] = (200, person())

    assert manage("check", user).code == 0
    assert console.asked[-1].path == f"/api/console/users/{path}"


def test_doctor(manage: Manage, console: ConsoleDouble):
    """Each check with what was found and what to do; one that is wrong is code 1."""
    checks = [
        {"name": "settings", "ok": True, "detail": "All are set.", "action": ""},
        {"name": "token", "ok": False, "detail": "A role is missing.", "action": "Grant it."},
    ]
    console.routes["GET", "doctor"] = (200, {"ok": False, "checks": checks})
    said = manage("doctor")

    assert said.code == 1
    for told in ("All are set.", "A role is missing.", "Grant it.", "1 of 2 checks"):
        assert told in said.out
    console.routes["GET", "doctor"] = (200, {"ok": True, "checks": checks[:1]})
    assert manage("doctor").code == 0


def test_sides_that_cannot_be_compared(manage: Manage, console: ConsoleDouble):
    """In an outage the sides neither agree nor differ: code 4, and what is remembered is shown."""
    user = {**person()["user"], "accountEnabled": None, "guest": None}
    answer = person(agree=None, difference="Graph is down.", profile=None, user=user)
    console.routes[PHOTO] = (200, answer)

    for command in ("status", "check"):
        said = manage(command, "anne@contoso.com")
        assert said.code == 4
        assert "anne@contoso.com: Graph is down." in said.out
        assert "could not be read" in said.out
        assert "disabled" not in said.out
    assert "2026-05-04 12:00:00Z" in manage("status", "anne@contoso.com").out


@pytest.fixture
def failed(console: ConsoleDouble) -> list[dict[str, Any]]:
    """Three who failed, on three pages of which one is empty."""
    everybody = [entry(1), entry(2, displayName='=cmd("x"), Ltd'), entry(3)]
    pages = {"": (everybody[:2], "t1"), "t1": ([], "t2"), "t2": (everybody[2:], "")}

    def page(asked: Asked) -> tuple[int, Any]:
        users, token = pages[asked.query.get("token", "")]
        assert asked.query["status"] == "failed"
        return 200, {"users": users, "token": token, "complete": not token}

    console.routes["GET", "users"] = page
    return everybody


@pytest.mark.usefixtures("failed")
def test_failures(manage: Manage):
    """Everybody who failed is listed, over all pages, also behind an empty one: code 1."""
    said = manage("failures")

    assert said.code == 1
    for told in ("person1@", "person2@", "person3@", "The photo cannot be read.", "3 failed"):
        assert told in said.out


def test_failures_as_csv(manage: Manage, failed: list[dict[str, Any]]):
    """CSV has a header and one line each, and no cell that a spreadsheet would run."""
    said = manage("failures", "--csv")
    rows = list(csv.DictReader(io.StringIO(said.out)))

    assert said.code == 1
    assert [row["userId"] for row in rows] == [one["userId"] for one in failed]
    assert rows[1]["displayName"] == '\'=cmd("x"), Ltd'


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("@SUM(A1)", "'@SUM(A1)"),
        (" \t-1", "'-1"),
        ("Anne;=1+1; +2", "Anne;'=1+1; '+2"),
        ("Anne-Marie = 1;x", "Anne-Marie = 1;x"),
        ("\x1b[2J\x1b]0;title\x07\n\u202egpj", "�[2J�]0;title� �gpj"),
    ],
    ids=ascii,
)
def test_cells_that_do_harm(manage: Manage, console: ConsoleDouble, name: str, cell: str):
    """No cell is a formula, also where a semicolon begins a cell, and none steers a terminal."""
    console.routes["GET", "users"] = (200, {"users": [entry(1, displayName=name)], "token": ""})
    (row,) = csv.DictReader(io.StringIO(manage("failures", "--csv").out))

    assert row["displayName"] == cell


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moment_out_of_range(manage: Manage, console: ConsoleDouble, moment: str):
    """A time that no calendar has in UTC, out of a blob that a person wrote, is told as it is."""
    console.routes["GET", "users"] = (200, {"users": [entry(1, checkedAt=moment)], "token": ""})

    assert moment in manage("failures").out


def test_nobody_failed(manage: Manage):
    """No failures: code 0, and CSV is the header alone."""
    assert manage("failures").code == 0
    assert manage("failures", "--csv").out.splitlines() == [
        "userPrincipalName,displayName,reason,detail,checkedAt,userId"
    ]


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


def test_options_behind_the_command_win(
    manage: Manage, console: ConsoleDouble, monkeypatch: pytest.MonkeyPatch
):
    """The environment gives way to an option, and that to one behind the command."""
    monkeypatch.setenv("PHOTOSYNC_URL", "https://environment.invalid")
    assert manage("--url", console.url, "status").code == 0
    assert manage("--url", "https://before.invalid", "status", "--url", console.url).code == 0
