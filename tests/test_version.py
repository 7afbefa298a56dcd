"""All places tell the same version, and the app tells when its package was built."""

from __future__ import annotations

import re
import runpy
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from infra.hooks import stamp
from shared import version
from tests import REPO


def test_one_version():
    """The project, azd's template and the app agree; the changelog has no newer release."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    released = re.findall(r"^## \[(\d[\d.]*)\]", (REPO / "CHANGELOG.md").read_text("utf-8"), re.M)
    template = yaml.safe_load((REPO / "azure.yaml").read_text("utf-8"))["metadata"]

    assert project["version"] == version.VERSION
    assert template == {"template": f"{project['name']}@{version.VERSION}"}
    assert tuple(map(int, version.VERSION.split("."))) >= tuple(map(int, released[0].split(".")))


def test_packed_at(tmp_path: Path):
    """azd's hook writes the file that the app reads, and the app tells that time."""
    (tmp_path / "shared").mkdir()
    stamp.write(tmp_path, datetime(2026, 5, 4, 12, 0, 0, 99, tzinfo=UTC))
    written = tmp_path / stamp.STAMP

    assert REPO / stamp.STAMP == version.stamp_file()
    assert version.packed_at(written) == "2026-05-04T12:00:00+00:00"
    assert version.line(written).endswith(" packed=2026-05-04T12:00:00+00:00")


@pytest.mark.parametrize("content", [None, b"", b"yesterday", b"\xff", b"2026-05-04\nforged=1"])
def test_no_stamp(tmp_path: Path, content: bytes | None):
    """Without a valid time in the file, the app tells only the version."""
    file = tmp_path / "packed.txt"
    if content is not None:
        file.write_bytes(content)

    assert version.to_fields(file) == {"version": version.VERSION, "packedAt": ""}
    assert version.line(file) == f"version={version.VERSION}"


def test_azd_stamps(tmp_path: Path):
    """azd runs the hook before packaging, on POSIX and Windows, with nothing installed."""
    service = yaml.safe_load((REPO / "azure.yaml").read_text("utf-8"))["services"]["photosync"]
    hooks = service["hooks"]["prepackage"]
    copied = tmp_path / "infra" / "hooks" / "stamp.py"
    copied.parent.mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    copied.write_bytes((REPO / "infra/hooks/stamp.py").read_bytes())
    with pytest.raises(SystemExit):
        runpy.run_path(str(copied), run_name="__main__")

    assert {hook["run"].split()[1] for hook in hooks.values()} == {"infra/hooks/stamp.py"}
    assert version.packed_at(tmp_path / stamp.STAMP)
