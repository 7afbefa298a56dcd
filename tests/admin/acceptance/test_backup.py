"""The pictures are always restored, or the output says what to do."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from admin.acceptance import runner, session
from admin.acceptance.backup import ORDERS, Backup
from admin.acceptance.finding import NotRun, Seen
from admin.acceptance.microsoft365 import Microsoft365
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.steps.every import LAST, WRITING
from local.m365.tenant.records import User
from shared.sharepoint.client import SharePointClient
from tests.admin.acceptance.conftest import OTHER, USER, Acceptance, fault, shown
from tests.local.m365.simulator import Cloud

ALL = ("--unlicensed", OTHER, "--yes", USER)
NEED_MORE = {"notification", "visit-0", "visit-1", "visit-empty"}
# By then the threads that upload are there already.
SECOND_COPY = 3
WRITTEN = [step for step in WRITING if step.id not in NEED_MORE]


@pytest.fixture
def last_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Scene], Seen]], None]:
    """Replace what the last step does."""

    def does(ask: Callable[[Scene], Seen]) -> None:
        monkeypatch.setattr(session, "LAST", (dataclasses.replace(LAST[0], ask=ask),))

    return does


def failing(step: Step, error: Callable[[], BaseException]) -> Step:
    """*step*, which ends with an error as soon as it has done its work."""

    def ask(scene: Scene) -> Seen:
        step.ask(scene)
        raise error()

    return dataclasses.replace(step, ask=ask)


@pytest.mark.parametrize("step", WRITTEN, ids=lambda step: step.id)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError], ids=str)
def test_interrupted(acceptance, tenant, anne, bert, monkeypatch, tmp_path, step, error):
    """After Ctrl-C or an unexpected error in any step, everything is restored."""
    broken = tuple(failing(each, error) if each is step else each for each in WRITING)
    monkeypatch.setattr(session, "WRITING", broken)
    before = shown(tenant, anne, bert)

    if error is KeyboardInterrupt:
        result = acceptance(*ALL)
        assert result.code == 130
        assert result.err.endswith(
            "Stopped. Everything was restored except what is listed above.\n"
        )
    else:
        with pytest.raises(ZeroDivisionError):
            acceptance(*ALL)

    assert shown(tenant, anne, bert) == before
    document = json.loads((tmp_path / "acceptance.json").read_text("utf-8"))
    assert (document["complete"], document["notPutBack"]) == (False, 0)


class _CtrlC:
    """Ctrl-C in the main thread; a second one would interrupt the restoring, too."""

    def __init__(self) -> None:
        self._heard = threading.Event()

    def press(self) -> None:
        if sys.platform == "win32":
            raise NotImplementedError
        main = threading.main_thread().ident
        assert main
        # A signal may come just before its thread falls asleep, which then misses it.
        while not self._heard.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            self._heard.wait(0.5)

    def handle(self, number: int, frame: object) -> None:
        if not self._heard.is_set():
            self._heard.set()
            raise KeyboardInterrupt


def test_uploads_under_way(acceptance, tenant, anne, monkeypatch):
    """An upload that outlives Ctrl-C is waited for: it would come after all is put back."""
    before, ended, done = shown(tenant, anne), threading.Event(), threading.Event()
    upload, close, calls = SharePointClient.upload, Microsoft365.close, itertools.count()

    if sys.platform == "win32":
        pytest.skip("no signal reaches a thread there")
    ctrl_c = _CtrlC()

    def late(client: SharePointClient, *given: Any, **more: Any) -> Any:
        if next(calls) == SECOND_COPY:
            ctrl_c.press()
            # Without waiting, the picture is restored before this upload.
            ended.wait(120)
        try:
            return upload(client, *given, **more)
        finally:
            if ended.is_set():
                done.set()

    def closed(direct: Microsoft365) -> None:
        ended.set()
        close(direct)

    monkeypatch.setattr(SharePointClient, "upload", late)
    monkeypatch.setattr(Microsoft365, "close", closed)
    usual = signal.signal(signal.SIGINT, ctrl_c.handle)
    try:
        result = acceptance("--yes", USER)
    finally:
        signal.signal(signal.SIGINT, usual)

    assert (result.code, done.wait(120)) == (130, True)
    assert shown(tenant, anne) == before


def test_waiting_fails(acceptance, tenant, anne, monkeypatch):
    """If waiting for uploads fails, everything is restored, and the output says so."""
    before = shown(tenant, anne)

    def broken(direct: Microsoft365) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Microsoft365, "close", broken)
    result = acceptance("--yes", USER)

    assert result.code == 4
    assert result.err.startswith(f"Not restored: Check {USER} again later")
    assert shown(tenant, anne) == before


def test_step_interrupted_midway(acceptance: Acceptance, tenant: Cloud, anne: User, bert: User):
    """A service that fails between two writes leaves nothing half done behind."""
    before = shown(tenant, anne, bert)
    failure = {"service": "sharepoint", "fault": "500", "message": "It broke."}
    fault(tenant, path="SetSingleValueProfileProperty", next=1, **failure)

    result = acceptance(*ALL)

    assert "It broke." in result.out
    assert shown(tenant, anne, bert) == before


def test_what_could_not_be_restored(acceptance, tenant, anne, last_step, tmp_path):
    """It says exactly what to do, saves the files for it, and returns 4."""

    def ask(scene: Scene) -> Seen:
        fault(tenant, service="sharepoint", method="POST", next=1000, fault="403")
        raise NotRun("this test is about what follows")

    last_step(ask)
    files, [profile] = shown(tenant, anne)

    result = acceptance("--yes", USER)
    orders = result.err.splitlines()

    assert result.code == 4
    left = {each.name.lower(): each for each in (tmp_path / session.RESTORE).iterdir()}
    in_file = left.pop("to-do.txt").read_text("utf-8").splitlines()
    assert [f"Not restored: {order}" for order in in_file] == orders
    assert {name: each.read_bytes() for name, each in left.items()} == files
    for kept in left.values():
        assert any(
            order.startswith(f"Not restored: Upload {kept.name} to /User Photos/Profile Pictures (")
            and order.endswith(f"The file is {Path(session.RESTORE) / kept.name}.")
            for order in orders
        )
    values = dict(re.findall(rf'Set the profile property (\S+) of {USER} to "([^"]*)"', result.err))
    # The address was the same all the time.
    assert values == {key: value for key, value in profile.items() if key in values}
    assert "SPS-PictureTimestamp" in values
    document = json.loads((tmp_path / "acceptance.json").read_text("utf-8"))
    assert document["notPutBack"] == len(orders)


def test_killed(acceptance, tenant, anne, monkeypatch, tmp_path):
    """Before the first write a folder has the instructions; the next run keeps it."""
    files, _ = shown(tenant, anne)
    folder, restore = tmp_path / session.RESTORE, Backup.restore

    monkeypatch.setattr(Backup, "restore", lambda killed: [])
    acceptance("--yes", USER)
    left = {each.name: each.read_bytes() for each in folder.iterdir()}
    damaged = shown(tenant, anne)
    again, read_only = acceptance("--yes", USER), acceptance("--read-only", USER)

    assert again.code == 2
    assert "do what acceptance-restore/to-do.txt says, delete acceptance-restore" in again.err
    assert (read_only.code, shown(tenant, anne)) == (0, damaged)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == left
    orders = left.pop(ORDERS).decode().splitlines()
    assert {name.lower(): content for name, content in left.items()} == files
    assert len(orders) == 7
    assert all(f"The file is {Path(session.RESTORE) / name}." in " ".join(orders) for name in left)

    for each in folder.iterdir():
        each.unlink()
    monkeypatch.setattr(Backup, "restore", restore)
    acceptance("--yes", USER)
    assert not folder.exists()


def test_nothing_can_be_kept(acceptance: Acceptance, tenant: Cloud, anne: User, tmp_path: Path):
    """Then nothing is overwritten, and each step says why."""
    (tmp_path / session.RESTORE).write_text("no folder", "utf-8")
    before, seen_before = shown(tenant, anne), len(tenant.tenant.journal.after(0))

    result = acceptance("--yes", USER)

    assert "what would be overwritten cannot be saved to a file (File exists)" in result.out
    assert shown(tenant, anne) == before
    written = [one["path"] for one in tenant.tenant.journal.after(0)[seen_before:]]
    assert not [path for path in written if "AddUsingPath" in path or "recycle" in path]


def test_results_that_cannot_be_kept(acceptance, anne, last_step, tmp_path):
    """The results are printed anyway, and the exit code reports the missing file."""

    def ask(scene: Scene) -> Seen:
        (tmp_path / "acceptance.json").mkdir()
        return Seen("seen all the same")

    last_step(ask)
    result = acceptance("--read-only", USER)

    assert result.code == 2
    assert "acceptance.json could not be written: Is a directory." in result.err
    assert "seen all the same" in result.out
    assert "contains the same results" not in result.out


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGBREAK"])
def test_asked_to_end(request, acceptance, tenant, anne, last_step, name):
    """A terminal that closes, or a machine that shuts down, is Ctrl-C."""
    if not hasattr(signal, name):
        pytest.skip(f"this system knows no {name}")
    number = signal.Signals[name]
    before = shown(tenant, anne)
    # Under nohup, SIGHUP is ignored, and `acceptance` leaves it so.
    request.addfinalizer(functools.partial(signal.signal, number, signal.getsignal(number)))
    signal.signal(number, signal.SIG_DFL)

    def ask(scene: Scene) -> Seen:
        signal.raise_signal(number)
        return Seen("went on")

    last_step(ask)

    assert acceptance("--yes", USER).code == 130
    assert shown(tenant, anne) == before
    assert signal.getsignal(number) is signal.SIG_DFL


def test_stopped_while_restoring(acceptance, anne, last_step, monkeypatch):
    """Then everything left becomes an instruction for a person."""
    upload = SharePointClient.upload

    def ask(scene: Scene) -> Seen:
        monkeypatch.setattr(SharePointClient, "upload", interrupted)
        return Seen("")

    def interrupted(*_: object, **__: object) -> None:
        monkeypatch.setattr(SharePointClient, "upload", upload)
        raise KeyboardInterrupt

    last_step(ask)
    result = acceptance("--yes", USER)

    assert result.code == 4
    assert len(result.err.splitlines()) == 7
    assert result.err.count("(stopped)") == 7


def test_runner_goes_on():
    """A step that cannot run says why, and does not stop the others."""
    step = Step("a", "?", "", lambda scene: Seen("seen"))
    refused = failing(step, lambda: NotRun("nobody is there"))

    found = [each.text for each in runner.results((refused, step), None)]  # type: ignore[arg-type]

    assert found == ["nobody is there", "seen"]
