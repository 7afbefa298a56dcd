"""A simulated tenant that is renamed: answers of its hosts, and URLs in profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.m365.picture_library import LIBRARY
from tests.local.m365.sharepoint.test_profiles import set_picture_url
from tests.local.m365.simulator import TIMEOUT, Cloud, cloud

pytestmark = pytest.mark.server

OLD, NEW = "https://contoso-my.sharepoint.com", "https://fabrikam-my.sharepoint.com"


@pytest.fixture
def named(tmp_path: Path) -> Iterator[Cloud]:
    with cloud(tmp_path, real_names=True) as simulated:
        yield simulated


def rename(named: Cloud, **order: Any) -> Any:
    return named.sim("POST", "/rename", {"name": "fabrikam", **order})


def test_new_name_replaces_the_old_one(named: Cloud):
    """Tokens are issued only for the new host; files stay."""
    assert rename(named)["my"] == named.tenant.urls.my == NEW

    with named.session(NEW) as session:
        folders = session.get(f"{LIBRARY}/Folders").json()["value"]
    assert "Profile Pictures" in {each["Name"] for each in folders}
    answer = named.client().acquire_token_for_client([f"{OLD}/.default"])
    assert "AADSTS500011" in answer["error_description"]


def test_old_name_redirects(named: Cloud):
    """Every request, to the same path; after a year it is a 404."""
    rename(named)
    url = f"{OLD}/_api/web?x=1"
    answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (308, f"{NEW}/_api/web?x=1")

    named.tenant.switches.former_hosts = "gone"
    assert requests.get(url, timeout=TIMEOUT, allow_redirects=False).status_code == 404


@pytest.mark.parametrize(("form", "host"), [("kept", OLD), ("rewritten", NEW)])
def test_urls_in_profiles(named: Cloud, form: str, host: str):
    """Whether PictureURL is rewritten is unknown, so the order says it."""
    anne, bert = named.add_user("anne"), named.add_user("bert", profile=False)
    set_picture_url(anne, f"{OLD}:443/User%20Photos/x_MThumb.jpg")
    rename(named, pictureUrls=form)

    assert anne.profile
    assert anne.profile.properties["PictureURL"] == f"{host}:443/User%20Photos/x_MThumb.jpg"
    assert bert.profile is None


@pytest.mark.parametrize(
    "order", [{"name": "contoso"}, {"name": "a.b"}, {"pictureUrls": "lost"}, {"when": "now"}]
)
def test_bad_orders_are_refused(named: Cloud, order: dict[str, str]):
    """The current name, an invalid name, and unknown values."""
    assert named.refused("POST", "/rename", {"name": "fabrikam", **order}) == 400
    assert named.tenant.urls.my == OLD


def test_hosts_without_real_names_cannot_be_renamed(m365: Cloud):
    """They are only ports of this machine."""
    assert m365.refused("POST", "/rename", {"name": "fabrikam"}) == 400
