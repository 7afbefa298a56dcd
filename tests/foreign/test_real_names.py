"""The whole product at Microsoft's own host names, in each national cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.cloud.stack import Stack
from local.m365.tenant.clouds import CLOUDS
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER
from tests.e2e.terminal import manage

pytestmark = pytest.mark.server
QUIET = {"RENEW_SCHEDULE": NEVER, "SWEEP_SCHEDULE": NEVER}
GRANT = ("--sharepoint-tenant", "contoso", "--device-code", "--json")


def hosts(name: str) -> set[str]:
    """All that the product asks in that cloud, as Microsoft's pages name them."""
    cloud = CLOUDS[name]
    files, profiles = (f"contoso-{kind}.{cloud.sharepoint}" for kind in ("my", "admin"))
    return {f"{host}:443" for host in (cloud.login, cloud.graph, files, profiles)}


@pytest.mark.parametrize("name", CLOUDS)
def test_from_signing_in_to_the_check_up(name: str, tmp_path: Path):
    """Nothing says where Microsoft 365 is but M365_CLOUD, and nobody looks for another host."""
    with Stack(tmp_path, settings=QUIET, cloud=name, sign_in=True) as stack:
        cloud = LiveCloud(stack)
        cloud.switch(deviceCodeInterval=1)
        anne, upn = cloud.add(userPrincipalName="anne@contoso.com")
        granted = manage(cloud, "grant", "--app", cloud.at.app_client_id, *GRANT, "--check")
        console = ("--console", "--client-id", cloud.at.console_client_id, "--operator", upn)
        people = manage(cloud, "grant", *console, *GRANT, "--yes")
        cloud.subscribe()
        cloud.admin.put_photo(anne, picture(1), "image/jpeg")
        told = cloud.settled(anne)
        checked = manage(cloud, "check", upn, name=upn)
        examined = manage(cloud, "doctor", name=upn)
        asked = {e["host"]: e["status"] for e in cloud.watcher.journal() if e["service"] == "proxy"}

    assert (granted.code, people.code) == (0, 0), (granted, people)
    assert (told["status"], told["reason"]) == ("synced", "")
    assert (checked.code, examined.code) == (0, 0), (checked, examined)
    assert asked == dict.fromkeys(hosts(name), 200)
