"""README is short, has small pictures, and its figures are right."""

from __future__ import annotations

import re

import pytest
from PIL import Image

from tests import REPO
from tools import cost

_TEXT = (REPO / "README.md").read_text(encoding="utf-8")
_PICTURES = sorted((REPO / "docs" / "images").iterdir())
_MOST_LINES, _MOST_BYTES = 170, 150_000


def test_it_is_short():
    """README stays short; links lead to the details."""
    assert len(_TEXT.splitlines()) <= _MOST_LINES


@pytest.mark.parametrize("heading", ["Features", "Getting Started", "Guidance", "Resources"])
def test_headings_of_the_gallery(heading: str):
    """Required by azd's gallery (microsoft/template-validation-action, src/rules.json)."""
    assert re.search(rf"(?m)^## {heading}$", _TEXT)


def test_every_picture_is_shown():
    """README shows exactly the pictures of docs/images, each with an alternative text."""
    shown = re.findall(r"!\[[^\]]{20,}\]\((docs/images/[^)]+)\)", _TEXT)

    assert sorted(shown) == [path.relative_to(REPO).as_posix() for path in _PICTURES]


@pytest.mark.parametrize("picture", _PICTURES, ids=lambda path: path.name)
def test_pictures_are_small(picture):
    """A picture is one, fits a page, and weighs little."""
    with Image.open(picture) as opened:
        opened.load()

    assert opened.format == "WEBP"
    assert 800 <= opened.width <= 2_000
    assert picture.stat().st_size <= _MOST_BYTES


def test_what_a_month_costs():
    """The line of cost is that of the table."""
    told = re.search(r"about (\S+) a month for ([\d,]+) users and (\S+) for ([\d,]+)", _TEXT)
    assert told

    for dollars, users in (told.group(1, 2), told.group(3, 4)):
        month = cost.month(int(users.replace(",", "")))
        assert dollars == f"${sum(month.dollars()):,.0f}"


def test_what_only_one_shell_takes_has_its_twin():
    """Each command that PowerShell does not accept is repeated for PowerShell."""
    commands, twins = _block("sh"), _block("powershell")
    own = [line for line in commands if re.search(r"\bexport |bin/activate|\\$|\b[A-Z]+=", line)]

    assert own
    assert [_in_powershell(line) for line in own] == twins


def test_commands_can_be_pasted():
    """An interactive zsh, which macOS has, takes a comment for words of the command."""
    assert not [line for line in _block("sh") if "#" in line]


def _block(shell: str) -> list[str]:
    """The lines of all blocks of commands for *shell*."""
    blocks: list[str] = re.findall(rf"(?ms)^```{shell}\n(.*?)^```$", _TEXT)
    return "".join(blocks).splitlines()


def _in_powershell(line: str) -> str:
    line = line.replace("python3 -m venv", "py -m venv")
    line = line.replace(". .venv-manage/bin/activate", r".venv-manage\Scripts\Activate.ps1")
    return re.sub(r"^export (\w+)=", r"$env:\1 = ", line)
