"""The picture that the demo writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.demo.montage import Pair
from local.demo.report import draw

PNG = b"\x89PNG"
NOBODY = Pair("Anne", "no-photo", "no photo", None, None, None, matches=True)


def test_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is written to the current folder."""
    monkeypatch.chdir(tmp_path)

    assert draw([NOBODY], tmp_path / ".local") == Path("demo.png")
    assert Path("demo.png").read_bytes().startswith(PNG)


def test_picture_that_cannot_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """If it cannot be written there, it is written to the demo's folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo.png").mkdir()
    folder = tmp_path / ".local"

    assert draw([NOBODY], folder) == folder / "demo.png"
    assert (folder / "demo.png").read_bytes().startswith(PNG)
    assert capsys.readouterr().err == (
        "Could not use demo.png: it must be a file, but it is a folder; move the folder away.\n"
    )
