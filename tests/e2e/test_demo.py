"""The whole `make demo`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.demo import report

pytestmark = [pytest.mark.server, pytest.mark.local_host("the demo starts a host of its own")]


def test_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The demo succeeds, writes its figures, and reports every picture as right."""
    monkeypatch.chdir(tmp_path)

    assert report.main(tmp_path / ".local") == 0, capsys.readouterr().err
    assert json.loads((tmp_path / ".local/demo.json").read_text("utf-8"))
    assert "12 of 12 people have the right picture in SharePoint" in capsys.readouterr().out
