"""CLI for Microsoft 365 as published: `m365 login` by certificate, profiles, files, users."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.conftest import ANNE, CLIENTS, FOLDER, PICTURE_URL, jpeg, kept, name, stayed_here
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID, Cloud

pytestmark = pytest.mark.server

PROGRAM = CLIENTS / "node_modules" / "@pnp" / "cli-microsoft365" / "dist" / "index.js"
MY = ("--webUrl", "https://contoso-my.sharepoint.com")
CLI = Callable[..., Any]


@pytest.fixture
def m365(contoso: Cloud, node: Path, at_real_names: dict[str, str], tmp_path: Path) -> CLI:
    """The program, signed in by certificate, no telemetry: its JSON, or its error."""
    environ = {**at_real_names, "CLIMICROSOFT365_NOUPDATE": "1"}

    def run(*words: str, code: int = 0) -> Any:
        done = subprocess.run(
            [node, PROGRAM, *words, "--output", "json"],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
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
    proof = ("--certificateFile", str(contoso.client_certificate), "--appId", ADMIN_APP)
    run("login", "--authType", "certificate", *proof, "--tenant", TENANT_ID)
    return run


def test_an_admin_at_the_terminal(contoso: Cloud, anne: str, m365: CLI, tmp_path: Path):
    """Reads what is there, breaks one picture, deletes one, and changes the profile."""
    read, broken = tmp_path / "read.jpg", tmp_path / name("M")
    broken.write_bytes(b"broken")
    named = ("--url", f"{FOLDER}/{name('M')}")

    [listed] = m365("entra", "user", "list", "--properties", "id,userPrincipalName")
    profile = m365("spo", "userprofile", "get", "--userName", ANNE)
    files = m365("spo", "file", "list", *MY, "--folderUrl", FOLDER)
    m365("spo", "file", "get", *MY, *named, "--asFile", "--path", str(read))
    m365(
        "spo", "file", "add", *MY, "--folder", FOLDER, "--path", str(broken), "--overwrite", "true"
    )
    m365("spo", "file", "remove", *MY, "--url", f"{FOLDER}/{name('S')}", "--force")
    value = ("--propertyName", "Office", "--propertyValue", "Room 7")
    m365("spo", "userprofile", "set", "--userName", ANNE, *value)
    refused = m365("spo", "file", "get", *MY, "--url", f"{FOLDER}/{name('S')}", code=1)

    assert listed == {"id": anne, "userPrincipalName": ANNE}
    assert profile["PictureUrl"] == f"{PICTURE_URL}/{name('M')}?t=7"
    assert [each["Name"] for each in files] == [name("L"), name("M"), name("S")]
    assert read.read_bytes() == jpeg("red")
    assert (kept(contoso, "M"), kept(contoso, "S")) == (b"broken", None)
    stored = contoso.tenant.users[anne].profile
    assert stored
    assert stored.properties["Office"] == "Room 7"
    assert f"{name('S')} does not exist" in refused
    assert stayed_here(contoso, 0)
