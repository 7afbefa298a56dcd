"""A simulated tenant at real names in each national cloud, and `grant --check` there."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from admin.program import main
from local.m365.config import Config
from local.m365.tenant.admins import GLOBAL
from local.m365.tenant.clouds import CLOUDS
from shared.settings import clouds
from tests import REPO
from tests.admin.grants.conftest import somebody_signs_in
from tests.local.m365.admins import signed_in
from tests.local.m365.simulator import PHOTOSYNC_APP, TENANT_ID, cloud

pytestmark = pytest.mark.server


def test_the_product_and_the_stand_in_agree():
    """Each has its own table of names, from the same page."""
    ours = {
        name: (f"https://{one.login}", f"https://{one.graph}", one.sharepoint)
        for name, one in CLOUDS.items()
    }
    assert ours == clouds.CLOUDS


@pytest.mark.parametrize("name", CLOUDS)
def test_grant_checks_in_every_cloud(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Without an address of this machine: what an admin types, through a proxy."""
    monkeypatch.chdir(tmp_path)
    for variable in ("LOGIN_URL", "GRAPH_URL", "M365_CLOUD", "SHAREPOINT_GEOS"):
        monkeypatch.delenv(variable, raising=False)
    with cloud(tmp_path, real_names=True, cloud=name) as tenant:
        monkeypatch.setenv("PHOTOSYNC_CA", str(tenant.certificates.ca))
        me = ("--app", PHOTOSYNC_APP, "--tenant", TENANT_ID, "--sharepoint-tenant", "contoso")
        with somebody_signs_in(tenant, GLOBAL):
            main(["grant", *me, "--cloud", name, "--check", "--device-code", "--json"])
        hosts = {one["host"] for one in tenant.tenant.journal.after(0) if one["service"] == "proxy"}
    told = json.loads(capsys.readouterr().out)

    assert hosts == {f"{CLOUDS[name].login}:443", f"{CLOUDS[name].graph}:443"}
    [site] = [one for one in told["steps"] if one["on"].startswith("https://")]
    assert site["on"] == f"https://contoso-my.{CLOUDS[name].sharepoint}"
    assert (site["state"], site["problem"]) == ("ok", "")


def test_the_root_of_the_tenant(tmp_path: Path):
    """`root`, its host and its id lead to one site, the names of other clouds to none."""
    with cloud(tmp_path, real_names=True, cloud="usgov") as tenant:
        sites = "https://graph.microsoft.us/v1.0/sites"
        with signed_in(tenant, GLOBAL) as session:
            root = session.get(f"{sites}/root?$select=webUrl", timeout=10).json()
            by_host = session.get(f"{sites}/contoso.sharepoint.us", timeout=10).json()
            by_id = session.get(f"{sites}/{by_host['id']}", timeout=10).json()
            elsewhere = session.get(f"{sites}/contoso-my.sharepoint.com", timeout=10)
        with pytest.raises(requests.exceptions.ProxyError):
            requests.get("https://graph.microsoft.com/v1.0/sites/root", timeout=10)

    assert root["webUrl"] == by_host["webUrl"] == by_id["webUrl"] == "https://contoso.sharepoint.us"
    assert elsewhere.status_code == 404


def hosts_file(name: str) -> list[str]:
    """The names that README has people put into theirs for that cloud."""
    readme = (REPO / "local" / "m365" / "README.md").read_text("utf-8")
    lines = re.search(rf"(?m)^# {name}\b.*\n((?:127\.0\.0\.1 .*\n)+)", readme)
    assert lines
    return lines[1].replace("127.0.0.1", "").split()


@pytest.mark.parametrize("name", CLOUDS)
def test_names_that_lead_here_by_themselves(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As by a hosts file, without a proxy: one port is all the hosts, and no other cloud's."""
    look_up = socket.getaddrinfo

    def found(host: str, port: int, *more: Any) -> Any:
        local = (host, port) if host == "localhost" else ("localhost", all_names)
        return look_up(*local, *more)

    # What is patched here ends before the simulator puts back the environment.
    with cloud(tmp_path, real_names=True, cloud=name) as tenant, monkeypatch.context() as patched:
        urls = tenant.tenant.urls
        all_names = urlsplit(urls.names).port
        patched.delenv("https_proxy")
        patched.setattr(socket, "getaddrinfo", found)
        with tenant.session(urls.graph) as session:
            people = session.get(f"{urls.graph}/v1.0/users", timeout=10)
        for host in (urls.my, urls.admin, urls.root):
            with tenant.session(host) as session:
                web = session.get(f"{host}/_api/web?$select=Url", timeout=10)
            assert web.json() == {"Url": host}
        named = [requests.get(f"https://{host}/", timeout=10) for host in hosts_file(name)]
        elsewhere = CLOUDS["china" if name == "global" else "global"].graph
        stranger = requests.get(f"https://{elsewhere}/v1.0/users", timeout=10)
        journal = {one["service"] for one in tenant.tenant.journal.after(0)}

    assert (people.status_code, stranger.status_code) == (200, 421)
    assert len(named) == 5
    assert 421 not in {one.status_code for one in named}
    assert journal == {"login", "graph", "sharepoint"}


def test_a_cloud_that_is_none(tmp_path: Path):
    """A typing mistake is told, with what may be typed."""
    with pytest.raises(ValueError, match="global, usgov, dod, china"):
        Config("t", tmp_path, tmp_path, real_names=True, cloud="us")
