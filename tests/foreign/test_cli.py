"""CLI for Microsoft 365 reads what the product wrote, damages it, and reads it repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.outside.likeness import alike
from tests.e2e.cloud import LiveCloud, picture
from tests.foreign.cli import signed_in
from tests.foreign.conftest import Person

pytestmark = pytest.mark.server

MY = ("--webUrl", "https://contoso-my.sharepoint.com")
FOLDER = "/User Photos/Profile Pictures"


def test_an_admin_at_the_terminal(world: LiveCloud, anne: Person, node: Path, tmp_path: Path):
    """It reads the copies, damages one picture and deletes another; a replay repairs both."""
    m365 = signed_in(world.at, node, tmp_path / "home")
    read, broken, mended = (tmp_path / name for name in ("read", anne.file("M"), "mended"))
    broken.write_bytes(b"broken")

    def path(size: str) -> tuple[str, str]:
        return ("--url", f"{FOLDER}/{anne.file(size)}")

    users = m365("entra", "user", "list", "--properties", "id,userPrincipalName")
    read_profile = m365("spo", "userprofile", "get", "--userName", anne.upn)
    files = m365("spo", "file", "list", *MY, "--folderUrl", FOLDER)
    m365("spo", "file", "get", *MY, *path("L"), "--asFile", "--path", str(read))
    upload = ("--folder", FOLDER, "--path", str(broken), "--overwrite", "true")
    m365("spo", "file", "add", *MY, *upload)
    m365("spo", "file", "remove", *MY, *path("L"), "--recycle", "--force")
    value = ("--propertyName", "Office", "--propertyValue", "Room 7")
    m365("spo", "userprofile", "set", "--userName", anne.upn, *value)
    values = ("--propertyName", "SPS-Skills", "--propertyValue", "maps,boats")
    m365("spo", "userprofile", "set", "--userName", anne.upn, *values)
    refused = m365("spo", "file", "get", *MY, *path("L"), code=1)
    harmed = world.admin.files_at(world.watcher.states()[anne.id]["pictureUrl"])
    state = world.replayed(anne.id)
    m365("spo", "file", "get", *MY, *path("L"), "--asFile", "--path", str(mended))

    assert {"id": anne.id, "userPrincipalName": anne.upn} in users
    assert read_profile["PictureUrl"].startswith(f"{state['pictureUrl']}?t=")
    assert {anne.file(size) for size in "SML"} <= {each["Name"] for each in files}
    assert alike(picture(1), read.read_bytes())
    assert f"{anne.file('L')} does not exist" in refused
    assert harmed == {"S", "M"}
    assert mended.read_bytes() == read.read_bytes()
    assert world.shows(anne.upn, picture(1))
    profile = world.admin.shown(anne.upn).profile
    assert (profile["Office"], profile["SPS-Skills"]) == ("Room 7", "maps|boats")
