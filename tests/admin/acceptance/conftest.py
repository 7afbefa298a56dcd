"""A terminal with a certificate in front of a simulated tenant, and two test users."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from admin.acceptance import scene, session
from admin.program import main
from local.m365.sharepoint import files
from local.m365.tenant import photos
from local.m365.tenant.records import User
from tests.admin.command_result import CommandResult
from tests.doubles.web import Clock
from tests.e2e.cloud import picture
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, TIMEOUT, Cloud

USER, OTHER = "anne.keller@contoso.com", "bert@contoso.com"
Acceptance = Callable[..., CommandResult]
Seen = dict[str, tuple[str, str]]


@pytest.fixture
def tenant(running_tenant: Cloud) -> Cloud:
    running_tenant.renew()
    running_tenant.tenant.faults.clear()
    return running_tenant


@pytest.fixture
def anne(tenant: Cloud) -> User:
    """She has a photo, and SharePoint shows a picture of hers from before."""
    anne = tenant.add_user("anne.keller")
    give_photo(tenant, anne, seed=3)
    give_picture(tenant, anne)
    return anne


@pytest.fixture
def bert(tenant: Cloud) -> User:
    """He has a profile, and neither mailbox nor picture."""
    bert = tenant.add_user("bert")
    bert.mailbox = "none"
    return bert


def give_photo(tenant: Cloud, user: User, *, seed: int) -> None:
    kept = photos.accept(picture(seed, 648), reencode=True, fresh=False)
    user.photo = photos.stored(kept, tenant.tenant.now())


def give_picture(tenant: Cloud, user: User) -> None:
    """Three files that look unlike the photo, and a profile that has shown them since yesterday."""
    folder, now = tenant.tenant.picture_folder, tenant.tenant.now()
    for size, side in (("S", 48), ("M", 72), ("L", 300)):
        name = f"{user.id}_{size}Thumb.jpg"
        files.upload(tenant.tenant, folder, name, picture(9, side), overwrite=True)
    library = f"{tenant.tenant.urls.my}/User%20Photos/Profile%20Pictures"
    assert user.profile
    user.profile.properties |= {
        "PictureURL": f"{library}/{user.id}_MThumb.jpg",
        "SPS-PicturePlaceholderState": "0",
        "SPS-PictureExchangeSyncState": "0",
        "SPS-PictureTimestamp": str(int(now.timestamp()) + 62135596800 - 90_000),
    }


def shown(tenant: Cloud, *users: User) -> Any:
    """All that SharePoint keeps of pictures: files by name, and each user's picture properties."""
    files = {name: file.content for name, file in tenant.tenant.picture_folder.files.items()}
    profiles = [
        {name: value for name, value in user.profile.properties.items() if value}
        for user in users
        if user.profile
    ]
    return files, profiles


def fault(tenant: Cloud, **order: Any) -> None:
    """Order a fault, as the control API takes it."""
    url = f"{tenant.tenant.urls.control}/_sim/faults"
    requests.post(url, json=order, timeout=TIMEOUT).raise_for_status()


def variables(tenant: Cloud, app: str = ADMIN_APP) -> dict[str, str]:
    urls = tenant.tenant.urls
    return {
        "LOGIN_URL": urls.login,
        "GRAPH_URL": urls.graph,
        "SHAREPOINT_MY_URL": urls.my,
        "SHAREPOINT_ADMIN_URL": urls.admin,
        "SHAREPOINT_TENANT": "contoso",
        "TENANT_ID": TENANT_ID,
        "CLIENT_ID": app,
        "CLIENT_CERTIFICATE": str(tenant.client_certificate),
    }


@pytest.fixture
def own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a step's own pauses take time while it waits for a change, not the machine."""
    clock = Clock()
    monkeypatch.setattr(scene, "stopwatch", SimpleNamespace(ticks=clock.ticks))
    paused = functools.partial(scene.Scene, pause=clock.sleep)
    monkeypatch.setattr(session, "Scene", paused)


@pytest.fixture
def acceptance(tenant, own_time, monkeypatch, capsys, tmp_path) -> Acceptance:
    """Run `manage.py acceptance --local` in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    for name in ("PHOTOSYNC_URL", "PHOTOSYNC_KEY", "SHAREPOINT_GEOS", "M365_CLOUD"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str, **changes: str) -> CommandResult:
        for name, value in (variables(tenant) | changes).items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        code = main(["acceptance", "--local", "--timeout", "1", *arguments])
        return CommandResult(code, *capsys.readouterr())

    return run


def seen(result: CommandResult) -> Seen:
    """After --json: verdict and words of each step."""
    return {each["id"]: (each["verdict"], each["seen"]) for each in result.document["steps"]}
