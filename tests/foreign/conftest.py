"""Clients that others wrote, from npm, unmodified, at a simulated tenant with its real names."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from local.cloud.node import NoNode, find_node, install_packages
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud, cloud

CLIENTS = Path(__file__).with_name("clients")
FOLDER = "/User Photos/Profile Pictures"
PICTURE_URL = "https://contoso-my.sharepoint.com:443/User%20Photos/Profile%20Pictures"
ANNE = "anne@contoso.com"
ACCOUNT = f"i:0#.f|membership|{ANNE}"
Script = Callable[..., dict[str, Any]]


def name(size: str) -> str:
    """Of Anne's picture in one of the three sizes."""
    return f"anne_{size}Thumb.jpg"


def jpeg(color: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), color).save(out, "JPEG")
    return out.getvalue()


def kept(contoso: Cloud, size: str) -> bytes | None:
    """What the library has of Anne's picture."""
    file = contoso.tenant.picture_folder.files.get(name(size).casefold())
    return file.content if file else None


@pytest.fixture(scope="session")
def node() -> Path:
    """A Node.js that has the clients; without it the tests are skipped, but never in CI."""
    try:
        found = find_node()
        install_packages(CLIENTS, found)
    except NoNode as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the clients are not there: {error}")
    return found


@pytest.fixture(scope="module")
def running_contoso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with cloud(tmp_path_factory.mktemp("contoso"), real_names=True) as simulated:
        apps = simulated.tenant.apps
        app = apps[ADMIN_APP]
        # By it clients find out what SharePoint's hosts are called.
        apps[ADMIN_APP] = replace(app, graph_roles=app.graph_roles | {"Sites.Read.All"})
        yield simulated


@pytest.fixture
def contoso(running_contoso: Cloud) -> Cloud:
    """The tenant, emptied, with the documented limits."""
    running_contoso.renew()
    return running_contoso


@pytest.fixture
def anne(contoso: Cloud) -> str:
    """Her object id; her photo is copied, so three files are there and her profile names one."""
    red = base64.b64encode(jpeg("red")).decode()
    seed = {
        "userPrincipalName": ANNE,
        "displayName": "Anne",
        "photo": red,
        "files": {name(size): red for size in "SML"},
        "profile": {"PictureURL": f"{PICTURE_URL}/{name('M')}", "SPS-PictureTimestamp": "7"},
    }
    url = f"{contoso.tenant.urls.control}/_sim/users"
    (user_id,) = requests.post(url, json=seed, timeout=10).json()["ids"]
    return str(user_id)


@pytest.fixture
def at_real_names(contoso: Cloud, tmp_path: Path) -> dict[str, str]:
    """The variables by which a client finds the tenant; nothing of the client is changed."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "HTTPS_PROXY": contoso.tenant.urls.proxy,
        "NODE_EXTRA_CA_CERTS": str(contoso.certificates.ca),
        "NODE_NO_WARNINGS": "1",
    }


@pytest.fixture
def script(contoso: Cloud, node: Path, at_real_names: dict[str, str]) -> Script:
    """Run one of the scripts beside the clients: an order goes in, what it saw comes out."""

    def run(file: str, **order: str) -> dict[str, Any]:
        certificate = str(contoso.client_certificate)
        order = {"clientId": ADMIN_APP, "certificate": certificate, "tenant": TENANT_ID, **order}
        done = subprocess.run(
            [node, CLIENTS / file, json.dumps(order)],
            env=at_real_names,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    return run


def stayed_here(contoso: Cloud, after: int) -> bool:
    """Whether nobody asked for a host that is none of the tenant's since then."""
    asked = [one for one in contoso.tenant.journal.after(after) if one["service"] == "proxy"]
    return bool(asked) and all(one["status"] == 200 for one in asked)
