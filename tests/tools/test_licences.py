"""`make licences` fails on a package whose licence is not approved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tools.pins import ROOT, pins


def licences(folder: Path) -> subprocess.CompletedProcess[str]:
    """pip-licenses with the pyproject.toml of *folder*."""
    command = [sys.executable, "-m", "piplicenses", "--format=json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_licence_is_approved():
    """Each deployed package is listed with its version, and no package has another licence."""
    done = licences(ROOT)

    assert (done.returncode, done.stderr) == (0, "")
    listed = {
        one["Name"].lower().replace("_", "-"): one["Version"] for one in json.loads(done.stdout)
    }
    assert pins().items() <= listed.items()


def test_a_licence_that_is_not_listed_fails(tmp_path):
    """Without its licence in the list, pillow is named and the command fails."""
    text = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace(" MIT-CMU;", ""))

    done = licences(tmp_path)

    assert done.returncode == 1
    assert "MIT-CMU" in done.stderr
    assert "pillow" in done.stderr
