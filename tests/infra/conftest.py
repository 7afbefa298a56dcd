"""A deployed app behind a test double of `az`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.infra.template import INFRA

STARTING = (
    'Bad Request({"Message": "Encountered an error (ServiceUnavailable) from host runtime."})'
)
AZURE = Path(__file__).with_name("azure.py")
# The exit code, and the pauses that were taken.
Run = Callable[[str], tuple[int, list[float]]]


class Cloud:
    """A deployment by azd, and the hook."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "state.json"
        tools = folder / "bin"
        tools.mkdir()
        az = tools / "az"
        az.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{AZURE}" "$@"\n')
        az.chmod(0o755)
        # The interpreter that the hooks of azure.yaml name.
        (tools / "python3").symlink_to(sys.executable)
        (tools / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.env = {
            "PATH": str(tools),
            "TMPDIR": str(self.temporary),
            "AZURE_STAND_IN": str(self._file),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AZURE_SUBSCRIPTION_ID": "11111111-1111-1111-1111-111111111111",
            "AZURE_RESOURCE_GROUP": "rg-photosync-prod",
            "PHOTOSYNC_APP_NAME": "photosync-abc",
            "PHOTOSYNC_URL": "https://photosync-abc.azurewebsites.net",
            "SHAREPOINT_TENANT": "contoso",
            "PHOTOSYNC_IDENTITY_PRINCIPAL_ID": "44444444-4444-4444-4444-444444444444",
            "PHOTOSYNC_STORAGE_ACCOUNT": "stabc",
        }
        self.state: dict[str, Any] = {
            "app": "photosync-abc",
            "functions": ["notifications", "sync_photo"],
            "keys": {"default": "a-key-of-somebody-else=="},
            "settings": {"TENANT_ID": "22222222-2222-2222-2222-222222222222"},
            "messages": [],
            "unlisted": "",
            "calls": [],
            "modes": [],
            "restarts": 0,
            "listed_after": 0,
            "started_after": 0,
            "keys_listed_after": 0,
            "starting": STARTING,
            "may_type": True,
            "signed_out": False,
            "refuses_settings": False,
            "as_documented": False,
        }

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run *command* as azd would, in the folder of azure.yaml."""
        self._file.write_text(json.dumps(self.state))
        done = subprocess.run(
            command,
            cwd=INFRA.parent,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.state = json.loads(self._file.read_text())
        return done

    def hook(self, event: str) -> subprocess.CompletedProcess[str]:
        return self.run([sys.executable, str(INFRA / "hooks" / "connect.py"), event])

    def secrets(self) -> list[str]:
        """All secrets."""
        keys = [value for name, value in self.state["keys"].items() if name != "default"]
        return [*keys, *(key.rstrip("=") for key in keys), *map(hashed, keys)]


def hashed(key: str) -> str:
    """The CLIENT_STATE for a key."""
    return hashlib.sha256(key.encode()).hexdigest()


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    if sys.platform == "win32":
        pytest.skip("the stand-in for az is a script of sh")
    return Cloud(tmp_path)


@pytest.fixture
def connected(cloud: Cloud) -> Cloud:
    """The hook has run once."""
    done = cloud.hook("postdeploy")
    assert done.returncode == 0, done.stderr
    cloud.state["calls"], cloud.state["messages"] = [], []
    return cloud


@pytest.fixture
def in_process(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """The hook in this process, with pauses that only are counted."""
    from infra.hooks import connect

    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)

    def run(event: str) -> tuple[int, list[float]]:
        pauses: list[float] = []
        file = tmp_path / "state.json"
        file.write_text(json.dumps(cloud.state))
        code = connect.main([event], os.environ, pauses.append)
        cloud.state = json.loads(file.read_text())
        return code, pauses

    return run
