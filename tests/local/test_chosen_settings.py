"""Settings that the user chooses for the local cloud, and refusals of wrong ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from local import chosen_settings
from local.chosen_settings import BadSetting
from local.cloud.occupancy import NotUp, Occupancy
from tests import REPO


def test_chosen():
    """Each is NAME=VALUE; of two with the same name the last one counts; a value may contain =."""
    given = ["DRY_RUN=false", "DRY_RUN=true", "PICTURE_FOLDER=a=b"]

    assert chosen_settings.read(given) == {"DRY_RUN": "true", "PICTURE_FOLDER": "a=b"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("DRY_RUN", "give NAME=VALUE"),
        ("DRYRUN=true", "did you mean DRY_RUN"),
        ("dry_run=true", "did you mean DRY_RUN"),
        ("PATH=/tmp", "docs/settings.md lists all settings"),
        ("TENANT_ID=1", "TENANT_ID is set by the local cloud and cannot be changed"),
        ("CONSOLE_SIGN_IN=1", "start it with --sign-in"),
        ("M365_CLOUD=usgov", "start it with --cloud"),
        ("DRY_RUN=yes", "DRY_RUN must be one of"),
    ],
)
def test_refused(given: str, sentence: str):
    """A misspelt name or value is refused with a hint, before anything starts."""
    with pytest.raises(BadSetting, match=sentence):
        chosen_settings.read([given])


@pytest.mark.parametrize("command", [["up", "--set"], ["set"]])
def test_refused_in_a_sentence(tmp_path: Path, command: list[str]):
    """One sentence and exit code 1, without a traceback; nothing is started."""
    arguments = [*command, "DRYRUN=true", "--folder", str(tmp_path / "cloud")]
    done = subprocess.run(
        [sys.executable, "-m", "local", *arguments], cwd=REPO, capture_output=True, text=True
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no setting DRYRUN: did you mean DRY_RUN?\n"
    assert not (tmp_path / "cloud").exists()


def test_change_of_a_cloud_that_is_up(tmp_path: Path):
    """Only the named settings change, and only while a cloud is running."""
    with pytest.raises(NotUp, match="run.py start"):
        chosen_settings.write(tmp_path, {"DRY_RUN": "false"})
    cloud = Occupancy(tmp_path)
    cloud.take()
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"Values": {"DRY_RUN": "true", "TENANT_ID": "1"}}))
    (tmp_path / "endpoints.json").touch()
    chosen_settings.write(tmp_path, {"DRY_RUN": "false"})
    cloud.leave()

    assert json.loads(file.read_text())["Values"] == {"DRY_RUN": "false", "TENANT_ID": "1"}
