"""A simulated tenant that is renamed: what its hosts answer, and what profiles say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.m365.simulator import Cloud, cloud

pytestmark = pytest.mark.server

OLD, NEW = "https://contoso-my.sharepoint.com", "https://fabrikam-my.sharepoint.com"
FOLDER = "/_api/web/GetFolderByServerRelativePath(decodedurl='/User Photos')/Folders"


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Cloud]:
    with cloud(tmp_path, real_names=True) as simulated:
        yield simulated


def rename(named: Cloud, **order: Any) -> requests.Response:
    url = f"{named.tenant.urls.control}/_sim/rename"
    return requests.post(url, json={"name": "fabrikam", **order}, timeout=10)


def test_the_new_name_is_the_one_that_counts(named: Cloud):
    """Tokens are made for the new host, and no more for the old one; files are where they were."""
    assert rename(named).json()["my"] == named.tenant.urls.my == NEW

    with named.session(NEW) as session:
        folders = session.get(NEW + FOLDER, timeout=10).json()["value"]
    assert "Profile Pictures" in {each["Name"] for each in folders}
    answer = named.client().acquire_token_for_client([f"{OLD}/.default"])
    assert "AADSTS500011" in answer["error_description"]


def test_the_old_name_redirects(named: Cloud):
    """Whoever asks, to the same path; after its year it answers nothing."""
    rename(named)
    url = f"{OLD}/_api/web?x=1"
    answer = requests.get(url, timeout=10, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{NEW}/_api/web?x=1")

    named.tenant.switches.former_hosts = "gone"
    assert requests.get(url, timeout=10, allow_redirects=False).status_code == 404


@pytest.mark.parametrize(("said", "host"), [("kept", OLD), ("rewritten", NEW)])
def test_what_profiles_say(named: Cloud, said: str, host: str):
    """PictureURL says the old host or the new one: which is unknown, so the order tells."""
    anne, bert = named.add_user("anne"), named.add_user("bert", profile=False)
    assert anne.profile
    anne.profile.properties["PictureURL"] = f"{OLD}:443/User%20Photos/x_MThumb.jpg"
    rename(named, pictureUrls=said)

    assert anne.profile.properties["PictureURL"] == f"{host}:443/User%20Photos/x_MThumb.jpg"
    assert bert.profile is None


@pytest.mark.parametrize(
    "order", [{"name": "contoso"}, {"name": "a.b"}, {"pictureUrls": "lost"}, {"when": "now"}]
)
def test_orders_that_are_refused(named: Cloud, order: dict[str, str]):
    """The same name, no name, and what nobody knows."""
    assert rename(named, **order).status_code == 400
    assert named.tenant.urls.my == OLD


def test_hosts_without_names_cannot_be_renamed(m365: Cloud):
    """Ports of this machine have no other names."""
    assert rename(m365).status_code == 400
