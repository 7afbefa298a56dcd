"""PnPjs as published reads a profile and its pictures, breaks them, and asks in batches."""

from __future__ import annotations

import base64

import pytest

from tests.foreign.conftest import ACCOUNT, FOLDER, PICTURE_URL, Script, jpeg, kept, name
from tests.local.m365.simulator import Cloud

pytestmark = pytest.mark.server


def test_an_admins_script(contoso: Cloud, anne: str, script: Script):
    """What it reads is what is there; what it writes, replaces and deletes is so afterwards."""
    said = script("pnpjs.js", account=ACCOUNT, folder=FOLDER, picture=name("M"), gone=name("S"))

    assert said == {
        "profile": f"{PICTURE_URL}/{name('M')}?t=7",
        "listed": [name("S"), name("M")],
        "chosen": [name("M")],
        "one": name("M"),
        "bytes": base64.b64encode(jpeg("red")).decode(),
        "folders": ["Forms", "Profile Pictures"],
        "missing": 404,
        "batch": ["Anne", 404],
    }
    assert (kept(contoso, "M"), kept(contoso, "S")) == (b"broken", None)
    assert kept(contoso, "L") == jpeg("red")
    assert contoso.tenant.picture_folder.files["new.jpg"].content == b"new"
    assert contoso.tenant.folder("/User Photos/Old") is None
    profile = contoso.tenant.users[anne].profile
    assert profile
    assert profile.properties["PictureURL"] == ""
    assert (profile.properties["AboutMe"], profile.properties["Office"]) == ("Once", "Room 7")
