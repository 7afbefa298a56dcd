"""The sections of `docs/facts` that the code cites exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import REPO

_PLACES = ("shared", "admin", "infra", "local", "tests", "docs")
_CITED = re.compile(r"\b(graph|sharepoint|functions)\.md[\s#/]+section[\s#/]+(\w+)")


def _texts() -> dict[Path, str]:
    """Every text that may cite a fact."""
    found = [path for place in _PLACES for path in (REPO / place).rglob("*")]
    ours = [path for path in found if "node_modules" not in path.parts]
    wanted = [*ours, REPO / "function_app.py", REPO / "README.md", REPO / "CONTRIBUTING.md"]
    return {
        path: path.read_text(encoding="utf-8")
        for path in wanted
        if path.suffix in {".py", ".md", ".bicep", ".js"}
    }


_CITATIONS = sorted({case for text in _texts().values() for case in _CITED.findall(text)})


@pytest.mark.parametrize(("page", "section"), _CITATIONS)
def test_section(page: str, section: str):
    """Every section that is cited is one, by its number or its first word."""
    text = (REPO / "docs" / "facts" / f"{page}.md").read_text(encoding="utf-8")

    assert re.search(rf"^## {section}\b", text, re.MULTILINE)
