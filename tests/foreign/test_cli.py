"""CLI for Microsoft 365 as published: `m365 login` by certificate, users, profiles, files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.outside.likeness import alike
from tests.e2e.cloud import LiveCloud, picture
from tests.foreign.conftest import Person
from tests.foreign.programs import CLIENTS

pytestmark = pytest.mark.server

PROGRAM = CLIENTS / "node_modules" / "@pnp" / "cli-microsoft365" / "dist" / "index.js"
MY = ("--webUrl", "https://contoso-my.sharepoint.com")
FOLDER = "/User Photos/Profile Pictures"
CLI = Callable[..., Any]


@pytest.fixture
def m365(world: LiveCloud, node: Path, at_real_names: dict[str, str], tmp_path: Path) -> CLI:
    """The program, signed in by certificate, no telemetry: its JSON, or its error."""
    environ = {**at_real_names, "CLIMICROSOFT365_NOUPDATE": "1"}

    def run(*words: str, code: int = 0) -> Any:
        done = subprocess.run(
            [node, PROGRAM, *words, "--output", "json"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        if code:
            return done.stderr
        return json.loads(done.stdout) if done.stdout else None

    # Where `m365 cli config set` writes; that command itself would still tell its maker.
    settings = tmp_path / ".config" / "configstore" / "cli-m365-config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"disableTelemetry": true}')
    proof = ("--certificateFile", world.at.client_certificate, "--appId", world.at.client_id)
    run("login", "--authType", "certificate", *proof, "--tenant", world.at.tenant_id)
    return run


def test_an_admin_at_the_terminal(world: LiveCloud, anne: Person, m365: CLI, tmp_path: Path):
    """Reads what was copied, breaks one picture, deletes one; a replay mends both."""
    read, broken, mended = (tmp_path / name for name in ("read", anne.file("M"), "mended"))
    broken.write_bytes(b"broken")

    def path(size: str) -> tuple[str, str]:
        return ("--url", f"{FOLDER}/{anne.file(size)}")

    users = m365("entra", "user", "list", "--properties", "id,userPrincipalName")
    profile = m365("spo", "userprofile", "get", "--userName", anne.upn)
    files = m365("spo", "file", "list", *MY, "--folderUrl", FOLDER)
    m365("spo", "file", "get", *MY, *path("L"), "--asFile", "--path", str(read))
    upload = ("--folder", FOLDER, "--path", str(broken), "--overwrite", "true")
    m365("spo", "file", "add", *MY, *upload)
    m365("spo", "file", "remove", *MY, *path("L"), "--recycle", "--force")
    value = ("--propertyName", "Office", "--propertyValue", "Room 7")
    m365("spo", "userprofile", "set", "--userName", anne.upn, *value)
    refused = m365("spo", "file", "get", *MY, *path("L"), code=1)
    harmed = world.admin.files_at(world.watcher.states()[anne.id]["pictureUrl"])
    state = world.replayed(anne.id)
    m365("spo", "file", "get", *MY, *path("L"), "--asFile", "--path", str(mended))

    assert {"id": anne.id, "userPrincipalName": anne.upn} in users
    assert profile["PictureUrl"].startswith(f"{state['pictureUrl']}?t=")
    assert {anne.file(size) for size in "SML"} <= {each["Name"] for each in files}
    assert alike(picture(1), read.read_bytes())
    assert f"{anne.file('L')} does not exist" in refused
    assert harmed == {"S", "M"}
    assert mended.read_bytes() == read.read_bytes()
    assert world.shows(anne.upn, picture(1))
    assert world.admin.shown(anne.upn).profile["Office"] == "Room 7"
