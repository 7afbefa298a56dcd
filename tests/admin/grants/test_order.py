"""The command line is checked before the sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from admin.grants.order import Order
from admin.terminal.problems import Unusable
from tests.admin.grants.conftest import MANAGED

PLAIN: dict[str, Any] = {
    "identity": MANAGED,
    "app": "",
    "new_app": "",
    "console": False,
    "viewer": (),
    "operator": (),
    "certificate": None,
    "sharepoint_tenant": "contoso",
    "tenant": "",
    "cloud": "global",
    "login_url": "",
    "graph_url": "",
    "sharepoint_my_url": "",
    "sharepoint_geos": "",
    "groups": False,
    "full_control": False,
    "device_code": False,
    "device_code_app": "",
    "dry_run": False,
    "check": False,
    "revoke": False,
    "yes": False,
    "timeout": 300.0,
}


def order(**changes: Any) -> Order:
    return Order.of(PLAIN | changes, ca="")


@pytest.mark.parametrize(
    ("changes", "graph", "sites"),
    [
        ({}, "https://graph.microsoft.com", ["contoso-my.sharepoint.com"]),
        ({"cloud": "usgov"}, "https://graph.microsoft.us", ["contoso-my.sharepoint.us"]),
        ({"cloud": "dod"}, "https://dod-graph.microsoft.us", ["contoso-my.sharepoint-mil.us"]),
        (
            {"cloud": "china"},
            "https://microsoftgraph.chinacloudapi.cn",
            ["contoso-my.sharepoint.cn"],
        ),
        # An address that the app's settings override is overridden here, too.
        (
            {
                "graph_url": "https://graph.local/",
                "sharepoint_my_url": "https://eur-my.contoso.com",
            },
            "https://graph.local",
            ["eur-my.contoso.com"],
        ),
        (
            {"full_control": True, "sharepoint_tenant": "", "sharepoint_geos": "contosoeur"},
            "https://graph.microsoft.com",
            [],
        ),
        # Each geography once, in its cloud.
        (
            {"cloud": "usgov", "sharepoint_geos": " ContosoEUR,,fabrikamdach, contosoeur,contoso"},
            "https://graph.microsoft.us",
            [f"{name}-my.sharepoint.us" for name in ("contoso", "contosoeur", "fabrikamdach")],
        ),
    ],
)
def test_hosts(changes: dict[str, Any], graph: str, sites: list[str]):
    """Graph and the My Site hosts follow from the cloud, the settings and the geographies."""
    found = order(**changes)

    assert (found.graph_url, found.my_sites) == (graph, tuple(sites))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("PhotoSync", "photosync.pem"),
        ("Photo Sync (test)", "photo-sync-test.pem"),
        ("写真", "app.pem"),
    ],
)
def test_a_new_app_names_its_file(name: str, file: str):
    """The certificate's file follows from the app's name, and can be chosen."""
    assert str(order(identity="", new_app=name).certificate) == file
    assert str(order(identity="", new_app=name, certificate="x/y.pem").certificate) == "x/y.pem"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"identity": ""}, "--identity"),
        ({"app": MANAGED}, "--new-app"),
        ({"identity": "id-photosync"}, "--identity"),
        ({"identity": "", "app": "PhotoSync"}, "--app"),
        ({"device_code_app": "me"}, "--device-code-app"),
        ({"certificate": "x.pem"}, "--certificate"),
        ({"identity": "", "new_app": "PhotoSync", "check": True}, "--app"),
        ({"identity": "", "new_app": "PhotoSync", "revoke": True}, "--app"),
        ({"identity": "", "app": MANAGED, "revoke": True, "certificate": "x.pem"}, "--revoke"),
        ({"check": True, "revoke": True}, "--check"),
        ({"check": True, "dry_run": True}, "--check"),
        ({"sharepoint_tenant": ""}, "--sharepoint-tenant"),
        ({"sharepoint_tenant": "contoso.sharepoint.com"}, "--sharepoint-tenant"),
        ({"graph_url": "http://graph.microsoft.com"}, "GRAPH_URL"),
        ({"login_url": "login.microsoftonline.com"}, "LOGIN_URL"),
        # Only names of geographies: a full host name could send the admin's token elsewhere.
        *[
            ({"sharepoint_geos": name}, "--sharepoint-geos")
            for name in ("https://x", "contosoeur-my", "x-admin", "a b", "x.sharepoint.com", "a/b")
        ],
        # Only an id or a domain: the tenant becomes part of a URL and of az's command line.
        *[
            ({"tenant": name}, "--tenant")
            for name in ("common", "organizations", "--help", "a/b.com", "x.c/..", "-x.c", "a b.c")
        ],
    ],
)
def test_invalid_options(changes: dict[str, Any], word: str):
    """One sentence names the option; a token never goes over http."""
    with pytest.raises(Unusable, match=word):
        order(**changes)


@pytest.mark.parametrize("tenant", ["", MANAGED, "contoso.onmicrosoft.com", "xn--bcher-kva.de"])
def test_a_tenant_by_its_id_or_a_domain(tenant: str):
    """Both name one tenant; without, it is that of the account."""
    assert order(tenant=f" {tenant} ").tenant == tenant
