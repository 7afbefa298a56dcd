"""PnPjs as published reads what the product wrote, damages it, and reads it repaired."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path

import pytest

from local.outside.likeness import alike
from tests.e2e.cloud import LiveCloud, picture
from tests.foreign.conftest import Person, Script

pytestmark = pytest.mark.server
FOLDER = "/User Photos/Profile Pictures"


@pytest.fixture
def pnpjs(script: Script, node: Path, anne: Person) -> Script:
    account = f"i:0#.f|membership|{anne.upn}"
    return partial(script, node, "pnpjs.js", user=anne.id, account=account, folder=FOLDER)


def test_pictures_and_profiles(world: LiveCloud, anne: Person, pnpjs: Script):
    """Three files and a URL are read, damaged, and after a replay are as before."""
    before = pnpjs("read")
    pnpjs("harm")
    broken = pnpjs("read")
    batched = pnpjs("batch")
    state = world.replayed(anne.id)
    after = pnpjs("read")

    address, _, timestamp = before["address"].partition("?t=")
    assert address == state["pictureUrl"]
    assert all(alike(picture(1), base64.b64decode(each)) for each in before["files"])
    assert before["listed"] == [anne.file("S"), anne.file("M")]
    assert before["folders"] == ["Forms", "Profile Pictures"]
    written = [base64.b64encode(text).decode() for text in (b"broken", b"new")]
    assert (broken["files"], broken["address"]) == ([404, *written], None)
    assert batched == ["Anne", 404]
    # The timestamp has changed, so that browsers load the picture again.
    assert after == {**before, "address": after["address"]}
    assert after["address"] > before["address"]
    profile = world.admin.shown(anne.upn).profile
    assert (profile["AboutMe"], profile["Office"]) == ("Once", "Room 7")


def test_photos_and_subscriptions(world: LiveCloud, anne: Person, pnpjs: Script):
    """It subscribes the product's webhook and changes the photo; the product is notified."""
    client_state = world.at.client_state
    listed = pnpjs("subscribe", webhook=world.webhook, clientState=client_state)
    photo = base64.b64encode(picture(2)).decode()
    width = pnpjs("photo", photo=photo)
    world.wait_for(lambda: world.shows(anne.upn, picture(2)))
    left = pnpjs("unsubscribe")

    assert (listed, width, left) == (["users"], 400, [])
    assert not alike(picture(1), base64.b64decode(pnpjs("read")["files"][2]))
