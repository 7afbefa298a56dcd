"""A tenant with another geography, at its hosts' real names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.m365.tenant.records import User
from tests.admin.acceptance.conftest import USER, Acceptance, seen
from tests.local.m365.simulator import Cloud, cloud

NAMED = {"SHAREPOINT_MY_URL": "", "SHAREPOINT_ADMIN_URL": "", "SHAREPOINT_GEOS": "contosoeur"}


@pytest.fixture(scope="module")
def running_tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    satellites = {"contosoeur": "Profilbilder"}
    folder = tmp_path_factory.mktemp("tenant")
    with cloud(folder, real_names=True, satellites=satellites) as simulated:
        yield simulated


@pytest.mark.parametrize(
    ("elsewhere", "words"),
    [("shown", "geography 1: a profile, home named"), ("none", "geography 1: no-profile")],
)
def test_satellite(acceptance: Acceptance, tenant: Cloud, anne: User, elsewhere: str, words: str):
    """The satellite's answer is reported; all three home hosts are tested."""
    tenant.tenant.switches.profiles_elsewhere = elsewhere

    found = seen(acceptance("--yes", "--json", USER, **NAMED))

    assert found["satellites"] == ("as assumed", words)
    assert found["profile-hosts"][1].endswith("admin: 200, root: 200, My Site: 200")
    assert found["old-picture"][0] == "as assumed"


def test_satellite_names_another(acceptance: Acceptance, anne: User):
    """A profile that names another geography differs from what was assumed."""
    anne.personal_host = "https://contosoeur-my.sharepoint.com/"

    found = seen(acceptance("--read-only", "--json", USER, **NAMED))

    assert found["satellites"] == ("differs", "geography 1: a profile, home not named")
