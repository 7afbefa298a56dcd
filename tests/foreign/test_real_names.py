"""The whole product at Microsoft's own host names, in each national cloud."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.m365.tenant.clouds import CLOUDS
from tests.e2e.cloud import LiveCloud, picture, quiet_cloud
from tests.e2e.terminal import manage
from tests.foreign.cli import signed_in

pytestmark = pytest.mark.server
GRANT = ("--sharepoint-tenant", "contoso", "--device-code", "--json")


def hosts(name: str) -> set[str]:
    """All hosts that the product calls in that cloud, as Microsoft's pages name them."""
    cloud = CLOUDS[name]
    files, profiles = (f"contoso-{kind}.{cloud.sharepoint}" for kind in ("my", "admin"))
    return {f"{host}:443" for host in (cloud.login, cloud.graph, files, profiles)}


@pytest.fixture(scope="module", params=CLOUDS)
def cloud(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    with quiet_cloud(folder, cloud=request.param, sign_in=True) as cloud:
        cloud.switch(deviceCodeInterval=1)
        yield cloud


def test_from_sign_in_to_doctor(cloud: LiveCloud):
    """Only M365_CLOUD says where Microsoft 365 is, and no other host is called."""
    anne, upn = cloud.add()
    granted = manage(cloud, "grant", "--app", cloud.at.app_client_id, *GRANT, "--check")
    console = ("--console", "--client-id", cloud.at.console_client_id, "--operator", upn)
    people = manage(cloud, "grant", *console, *GRANT, "--yes")
    cloud.subscribe()
    cloud.admin.put_photo(anne, picture(1), "image/jpeg")
    state = cloud.settled(anne)
    checked = manage(cloud, "check", upn, name=upn)
    examined = manage(cloud, "doctor", name=upn)
    asked = {e["host"]: e["status"] for e in cloud.watcher.journal() if e["service"] == "proxy"}

    assert (granted.code, people.code) == (0, 0), (granted, people)
    assert (state["status"], state["reason"]) == ("synced", "")
    assert (checked.code, examined.code) == (0, 0), (checked, examined)
    assert asked == dict.fromkeys(hosts(cloud.at.cloud), 200)


def test_another_program_finds_what_was_copied(cloud: LiveCloud, node: Path, tmp_path: Path):
    """CLI for Microsoft 365, with its own names for clouds and hosts, reads the copied picture."""
    anne, upn = cloud.add_unnotified(1)
    state = cloud.replayed(anne)

    m365 = signed_in(cloud.at, node, tmp_path)
    profile = m365("spo", "userprofile", "get", "--userName", upn)

    assert profile["PictureUrl"].startswith(f"{state['pictureUrl']}?t=")
    assert CLOUDS[cloud.at.cloud].sharepoint in profile["PictureUrl"]
