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
    """Details belong on the linked pages."""
    assert len(_TEXT.splitlines()) <= _MOST_LINES


def test_every_picture_is_shown():
    """README shows exactly the pictures of docs/images, each with alternative text."""
    shown = re.findall(r"!\[[^\]]{20,}\]\((docs/images/[^)]+)\)", _TEXT)

    assert sorted(shown) == [path.relative_to(REPO).as_posix() for path in _PICTURES]


@pytest.mark.parametrize("picture", _PICTURES, ids=lambda path: path.name)
def test_pictures_are_small(picture):
    """Each picture is a valid WEBP file that fits a page and is small."""
    with Image.open(picture) as opened:
        opened.load()

    assert opened.format == "WEBP"
    assert 800 <= opened.width <= 2_000
    assert picture.stat().st_size <= _MOST_BYTES


def test_what_a_month_costs():
    """The cost line agrees with the table."""
    found = re.search(r"about (\S+) a month for ([\d,]+) users and (\S+) for ([\d,]+)", _TEXT)
    assert found

    for dollars, users in (found.group(1, 2), found.group(3, 4)):
        month = cost.month(int(users.replace(",", "")))
        assert dollars == f"${sum(month.dollars()):,.0f}"


def test_powershell_variants():
    """Each command that PowerShell does not accept has a PowerShell variant."""
    commands, twins = _block("sh"), _block("powershell")
    own = [line for line in commands if re.search(r"\bexport |bin/activate|\\$|\b[A-Z]+=", line)]

    assert own
    assert [_in_powershell(line) for line in own] == twins


def test_commands_can_be_pasted():
    """No command has a comment: an interactive zsh, as on macOS, takes it for arguments."""
    assert not [line for line in _block("sh") if "#" in line]


def _block(shell: str) -> list[str]:
    """The lines of all blocks of commands for *shell*."""
    blocks: list[str] = re.findall(rf"(?ms)^```{shell}\n(.*?)^```$", _TEXT)
    return "".join(blocks).splitlines()


def _in_powershell(line: str) -> str:
    line = line.replace("python3 -m venv", "py -m venv")
    line = line.replace(". .venv-manage/bin/activate", r".venv-manage\Scripts\Activate.ps1")
    return re.sub(r"^export (\w+)=", r"$env:\1 = ", line)
