"""Everything that the documents name exists."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

import run
from admin.program import program
from local.bench.command import SUBJECTS
from local.m365.tenant.switches import Switches
from tests import REPO

_PAGES = [
    *sorted(REPO.glob("*.md")),
    *sorted(REPO.glob("docs/*.md")),
    REPO / "local/README.md",
    *sorted(REPO.glob("local/*/README.md")),
]
# Not in the repository: users create these files.
_MADE = {"local.settings.json", "to-do.txt"}
_TEXT = {page: page.read_text(encoding="utf-8") for page in _PAGES}


def _found(pattern: str) -> list[tuple[Path, str]]:
    return [
        (page, match)
        for page, text in _TEXT.items()
        for match in sorted(set(re.findall(pattern, text)))
    ]


def _name(case: tuple[Path, str]) -> str:
    return f"{case[0].name}: {case[1]}"


@pytest.mark.parametrize("case", _found(r"\]\((?!https?:)([^)]+)\)"), ids=_name)
def test_links(case):
    """Every link to one of our files leads to an existing file and heading."""
    page, (name, _, anchor) = case[0], case[1].partition("#")
    target = page.parent / name if name else page

    assert target.exists()
    assert not anchor or anchor in _anchors(target.read_text(encoding="utf-8"))


def _anchors(text: str) -> set[str]:
    """GitHub's anchor of each heading: lower case, hyphens, no other punctuation."""
    outside = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    headings = re.findall(r"(?m)^#+ (.+)$", outside)
    return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}


@pytest.mark.parametrize(
    "case",
    _found(r"`((?:tests|shared|local|infra|docs|admin|tools|\.github)/[\w./-]+)`")
    + _found(r"`(\w[\w.-]*\.(?:py|md|bicep|toml|txt|in|yaml)|\.[a-z]+ignore|local[.\w]+json)`"),
    ids=_name,
)
def test_files(case):
    """Every named file exists, relative to the root or to the page."""
    page, file = case

    assert (REPO / file).exists() or (page.parent / file).exists() or file in _MADE


@pytest.mark.parametrize(
    ("name", "file"), re.findall(r"`(\w+)` in\s+`([\w./]+\.py)`", _TEXT[REPO / "CONTRIBUTING.md"])
)
def test_names_of_recipes(name: str, file: str):
    """A name that a recipe mentions exists in its file."""
    assert re.search(rf"\b{name}\b", (REPO / file).read_text(encoding="utf-8"))


def test_switches():
    """The table has exactly one row for each switch of the simulator."""
    table = (
        _TEXT[REPO / "local/m365/README.md"].partition("\n### Switches\n")[2].partition("\n#")[0]
    )
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    switches = {
        re.sub(r"_(\w)", lambda sign: sign[1].upper(), each.name) for each in fields(Switches)
    }

    # The folder's name is set like a switch, but belongs to the folder.
    assert set(re.findall(r"`(\w+)`", "".join(rows))) == switches | {"pictureFolder"}


@pytest.mark.parametrize(
    "case",
    _found(r"\bmake ([a-z0-9]+)\b(?=[`\n ]*(?:ONLY|ARGS|`|#|\n|$))")
    + _found(r"\brun\.py ([a-z0-9]+)\b"),
    ids=_name,
)
def test_targets(case):
    """Every command of `make` or run.py exists."""
    assert case[1] in {name for name, _, _ in run.COMMANDS}


@pytest.mark.parametrize("case", _found(r"make bench ONLY=([\w-]+)"), ids=_name)
def test_bench_rows(case):
    """Every row that a page cites can be measured."""
    assert case[1] in SUBJECTS


@pytest.mark.parametrize("case", _found(r"python manage\.py ([a-z][^`#\n]*)"), ids=_name)
def test_manage_commands(case):
    """Every command of manage.py exists and has the named options."""
    name, *words = case[1].split()
    command = program.get_command(click.Context(program), name)

    assert command
    known = {option for each in command.params for option in each.opts}
    assert {word for word in words if word.startswith("--")} <= known | {"--help", "--json"}
