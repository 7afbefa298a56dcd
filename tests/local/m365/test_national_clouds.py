"""A simulated tenant with real names in each national cloud."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from local.m365.config import Config
from local.m365.tenant.admins import GLOBAL
from local.m365.tenant.clouds import CLOUDS
from shared.settings import clouds
from tests import REPO
from tests.local.m365.simulator import TIMEOUT, cloud

pytestmark = pytest.mark.server


def test_product_and_simulator_have_the_same_names():
    """Each has its own table, from the same page."""
    ours = {
        name: (f"https://{one.login}", f"https://{one.graph}", one.sharepoint)
        for name, one in CLOUDS.items()
    }
    assert ours == clouds.CLOUDS


def test_the_root_of_the_tenant(tmp_path: Path):
    """`root`, its host and its id are the same site; names of other clouds are unknown."""
    with cloud(tmp_path, real_names=True, cloud="usgov") as tenant:
        with tenant.signed_in(GLOBAL) as session:
            assert session.base == "https://graph.microsoft.us/v1.0"
            root = session.get("/sites/root?$select=webUrl").json()
            by_host = session.get("/sites/contoso.sharepoint.us").json()
            by_id = session.get(f"/sites/{by_host['id']}").json()
            elsewhere = session.get("/sites/contoso-my.sharepoint.com")
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://graph.microsoft.com/v1.0/sites/root", timeout=TIMEOUT)

    assert root["webUrl"] == by_host["webUrl"] == by_id["webUrl"] == "https://contoso.sharepoint.us"
    assert elsewhere.status_code == 404


def hosts_file(name: str) -> list[str]:
    """The names in README's lines for that cloud."""
    readme = (REPO / "local" / "m365" / "README.md").read_text("utf-8")
    lines = re.search(rf"(?m)^# {name}\b.*\n((?:127\.0\.0\.1 .*\n)+)", readme)
    assert lines
    return lines[1].replace("127.0.0.1", "").split()


@pytest.mark.parametrize("name", CLOUDS)
def test_names_in_a_hosts_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without a proxy, one port serves all hosts of the cloud, and no others."""
    resolve = socket.getaddrinfo

    def local_address(host: str, port: int, *more: Any) -> Any:
        local = (host, port) if host == "localhost" else ("localhost", all_names)
        return resolve(*local, *more)

    # The patches must end before the simulator restores the environment.
    with cloud(tmp_path, real_names=True, cloud=name) as tenant, monkeypatch.context() as patched:
        urls = tenant.tenant.urls
        all_names = urlsplit(urls.names).port
        patched.delenv("https_proxy")
        patched.setattr(socket, "getaddrinfo", local_address)
        with tenant.session(urls.graph) as session:
            people = session.get("/users")
        for host in (urls.my, urls.admin, urls.root):
            with tenant.session(host) as session:
                assert session.get("/_api/web?$select=Url").json() == {"Url": host}
        named = [requests.get(f"https://{host}/", timeout=TIMEOUT) for host in hosts_file(name)]
        elsewhere = CLOUDS["china" if name == "global" else "global"].graph
        stranger = requests.get(f"https://{elsewhere}/v1.0/users", timeout=TIMEOUT)
        journal = {one["service"] for one in tenant.tenant.journal.after(0)}

    assert (people.status_code, stranger.status_code) == (200, 421)
    assert len(named) >= 5
    assert 421 not in {one.status_code for one in named}
    assert journal == {"login", "graph", "sharepoint"}


def test_unknown_cloud(tmp_path: Path):
    """The error lists the valid names."""
    with pytest.raises(ValueError, match="global, usgov, dod, china"):
        Config("t", tmp_path, tmp_path, real_names=True, cloud="us")
