"""Microsoft's own Graph clients as published; the product copies the photos that they change."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.cloud import LiveCloud, picture
from tests.foreign.conftest import Person, Script

pytestmark = pytest.mark.server


def encoded(photo: bytes) -> str:
    return base64.b64encode(photo).decode()


def everybody(world: LiveCloud) -> list[str]:
    users = world.admin.control("GET", "/users")["users"]
    return sorted(user["userPrincipalName"] for user in users)


@pytest.mark.parametrize("tenant", ["", "contoso.com", "contoso.onmicrosoft.com"])
def test_microsoft_graph_client(
    world: LiveCloud, anne: Person, script: Script, node: Path, tenant: str
):
    """With MSAL Node, for each name of the tenant: pages, a batch, a new photo."""
    named = {"tenant": tenant} if tenant else {}
    client = partial(script, node, "graph_client.js", user=anne.id, **named)
    read = client("read")
    client("change", photo=encoded(picture(2)))
    copied = world.replayed(anne.id)
    shown = world.shows(anne.upn, picture(2))

    assert sorted(read.pop("people")) == everybody(world)
    assert read == {"width": 400, "bytes": encoded(picture(1)), "batch": [200, 404]}
    assert (copied["status"], shown) == ("synced", True)


def test_msgraph_sdk(world: LiveCloud, anne: Person, script: Script, python: Path):
    """For Python, with azure-identity: pages, a photo, an unknown user, a new photo."""
    client = partial(script, python, "graph_sdk.py", user=anne.id)
    read = client("read")
    client("change", photo=encoded(picture(2)))
    copied = world.replayed(anne.id)

    assert sorted(read.pop("people")) == everybody(world)
    expected = {"name": "Anne", "width": 400, "bytes": encoded(picture(1)), "missing": 404}
    assert read == expected
    assert (copied["status"], world.shows(anne.upn, picture(2))) == ("synced", True)
