"""`acceptance` against a deployed app: the local cloud, its console, and somebody who is there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from admin.acceptance import session
from admin.acceptance.app import App
from admin.acceptance.finding import NotRun
from admin.acceptance.order import Order
from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.output import Output
from tests import REPO
from tests.admin.acceptance.conftest import Seen, seen
from tests.admin.command_result import CommandResult, assert_one_sentence
from tests.contract.conftest import Nobody
from tests.e2e.cloud import LiveCloud, picture, quiet_cloud

AS_ASSUMED, DIFFERS, NOT_ASKED = "as assumed", "differs", "could not be asked"


@pytest.fixture(scope="module")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with quiet_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.subscribe()
        yield cloud


@pytest.fixture
def cloud(running_cloud: LiveCloud, monkeypatch: pytest.MonkeyPatch) -> LiveCloud:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", running_cloud.at.ca)
    return running_cloud


class Somebody:
    """
    Changes the photo of a new user when asked, and restores it; visits nothing.

    The user's photo, `picture(seed)`, has been copied.
    """

    def __init__(self, cloud: LiveCloud, seed: int) -> None:
        self._cloud, self.photo = cloud, picture(seed)
        self.user_id, self.upn = cloud.add()
        self.asked: list[str] = []
        self._upload(self.photo)
        cloud.settled(self.user_id)

    def must_be_there(self) -> None:
        pass

    def does(self, what: str) -> None:
        self.asked.append(what.split()[0])
        if what.startswith("Change"):
            self._upload(picture(41))
        if what.startswith("Restore"):
            self._upload(self.photo)
        if what.startswith("Sign"):
            raise NotRun("the person did not do it")

    def _upload(self, photo: bytes) -> None:
        self._cloud.admin.put_photo(self.user_id, photo, "image/jpeg")


def settings(cloud: LiveCloud) -> dict[str, Any]:
    at = cloud.at
    return {
        "login_url": at.login,
        "graph_url": at.graph,
        "sharepoint_my_url": at.sharepoint_my,
        "sharepoint_admin_url": at.sharepoint_admin,
        "sharepoint_tenant": "contoso",
        "tenant": at.tenant_id,
        "app": at.app_client_id,
        "certificate": at.app_certificate,
    }


def ask(
    cloud: LiveCloud, folder: Path, upn: str, person: Any, *, limit: float = 120, **more: Any
) -> tuple[CommandResult, Seen]:
    given = {
        **dict.fromkeys(("app", "certificate", "tenant", "cloud", "sharepoint_geos"), ""),
        **dict.fromkeys(("login_url", "graph_url", "sharepoint_my_url", "unlicensed"), ""),
        **dict.fromkeys(("sharepoint_admin_url", "sharepoint_tenant", "settings"), ""),
        **dict.fromkeys(("local", "read_only", "hands_off"), False),
        **{"user": upn, "yes": True, "timeout": limit, "output": folder / "acceptance.json"},
        **more,
    }
    address = Address.check(cloud.at.functions, cloud.at.key, cloud.at.ca)
    out = io.StringIO()
    with ExitStack() as opened:
        app = App(opened.enter_context(Console(address)), address)
        code = session.run(Order.of(given), app, person, Output(out, as_json=True))
    result = CommandResult(code, out.getvalue(), "")
    return result, seen(result)


def test_with_a_certificate(cloud: LiveCloud, tmp_path: Path):
    """The app copies, the notification comes, and all is as before, for the app as well."""
    person = Somebody(cloud, 40)
    before = cloud.admin.shown(person.upn)

    result, found = ask(cloud, tmp_path, person.upn, person, **settings(cloud))

    assert result.code == 0, found
    assert found["notification"][0] == AS_ASSUMED
    assert found["notification"][1].startswith("it arrived: the app had copied the photo ")
    assert found["copy"] == (AS_ASSUMED, "synced; both sides agree")
    assert found["webhook-chunked"][1].startswith("with a length 202; in chunks ")
    assert found["without-a-key"] == (AS_ASSUMED, "to a program 401; to a page's script 401")
    assert found["open-paths"][0] == AS_ASSUMED
    assert found["signed-in"][0] == NOT_ASKED
    assert found["subscription-list"] == (AS_ASSUMED, "the app has one; the list contains 1")
    assert person.asked == ["Change", "Restore", "Sign", "Sign", "Sign"]
    assert cloud.admin.shown(person.upn) == before
    assert cloud.replayed(person.user_id)["status"] == "synced"


@pytest.mark.usefixtures("own_time")
def test_no_notification(cloud: LiveCloud, tmp_path: Path):
    """If a photo-only change sends none, the step says so; the photo is copied in the end."""
    person = Somebody(cloud, 42)
    cloud.switch(photoOnlyNotifies=False)
    try:
        result, found = ask(cloud, tmp_path, person.upn, person, **settings(cloud))
    finally:
        cloud.switch(photoOnlyNotifies=True)

    assert result.code == 1
    words = "none arrived within 120 s; the next sweep finds the photo"
    assert found["notification"] == (DIFFERS, words)
    assert cloud.shows(person.upn, person.photo)


def test_without_a_certificate(cloud: LiveCloud, tmp_path: Path):
    """Only the app's own answers are used; it copies only what it copied before."""
    user_id, upn = cloud.add_unnotified(44)
    _, fresh = ask(cloud, tmp_path, user_id, Nobody())
    cloud.replayed(user_id)
    result, found = ask(cloud, tmp_path, upn, Nobody())

    assert fresh["copy"][0] == NOT_ASKED
    assert "without a certificate nothing could be restored" in fresh["copy"][1]
    assert result.code == 0
    assert found["copy"] == (AS_ASSUMED, "synced; both sides agree")
    assert found["rights"][0] == AS_ASSUMED
    words = "it needs a certificate: give --settings, or --app and --certificate"
    assert found["userphoto"] == (NOT_ASKED, words)


def test_photo_not_restored_by_hand(cloud: LiveCloud, tmp_path: Path, capsys: Any):
    """A photo that was changed by hand, and not back, is an order, and the code is 4."""

    class Forgetful(Somebody):
        def does(self, what: str) -> None:
            if what.startswith("Restore"):
                raise NotRun("the person did not do it")
            super().does(what)

    person = Forgetful(cloud, 46)
    result, found = ask(cloud, tmp_path, person.upn, person, **settings(cloud))

    assert (result.code, found["notification"][0]) == (4, AS_ASSUMED)
    assert capsys.readouterr().err == (
        f"Not restored: Restore the former photo of {person.upn} in Exchange.\n"
    )


def test_as_a_process(cloud: LiveCloud, tmp_path: Path):
    """The command finds the app by its variables; a key that is wrong is one sentence."""
    _, upn = cloud.add_unnotified(48)
    environment = {
        **{name: value for name, value in os.environ.items() if name != "CLIENT_CERTIFICATE"},
        "PHOTOSYNC_URL": cloud.at.functions,
        "PHOTOSYNC_KEY": cloud.at.key,
        "PHOTOSYNC_CA": cloud.at.ca,
    }
    command = [sys.executable, str(REPO / "manage.py"), "acceptance", upn, "--read-only", "--json"]

    def run(**changes: str) -> CommandResult:
        given: dict[str, Any] = {"cwd": tmp_path, "env": environment | changes, "timeout": 120}
        done = subprocess.run(command, capture_output=True, text=True, **given)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    fine, refused = run(), run(PHOTOSYNC_KEY="wrong")

    assert (fine.code, fine.err) == (0, "")
    assert seen(fine)["without-a-key"][0] == AS_ASSUMED
    assert_one_sentence(refused, 3, "key")
