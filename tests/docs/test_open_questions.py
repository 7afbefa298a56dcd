"""Every open question of `docs/facts` has a step of `acceptance`, and every step a question."""

from __future__ import annotations

import re

import pytest

from admin.acceptance.steps.every import EVERY
from tests import REPO

PAGES = {"graph": "G", "sharepoint": "S", "functions": "F"}
_HEAD = "| Id | Question | What the code does meanwhile | Step |"
_BEYOND = "| Question | What the code does meanwhile | Why no step |"


def _section(page: str) -> str:
    text = (REPO / "docs" / "facts" / f"{page}.md").read_text("utf-8")
    found = re.search(r"^## (?:\d+\. )?Open questions\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    assert found, f"{page}.md has no section of open questions"
    return found[1]


def _rows(page: str, head: str) -> list[list[str]]:
    """The cells of each row of the table below *head*."""
    assert head in _section(page)
    table = _section(page).partition(head)[2].partition("\n\n")[0]
    lines = table.strip().splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def _named() -> set[str]:
    rows = [row for page in PAGES for row in _rows(page, _HEAD)]
    return {step for row in rows for step in re.findall(r"`([\w-]+)`", row[-1])}


def test_every_question_has_a_step_and_every_step_a_question():
    """The ids match in both directions, and no two steps have the same id."""
    assert sorted(_named()) == sorted(step.id for step in EVERY)


@pytest.mark.parametrize(("page", "letter"), PAGES.items())
def test_rows(page: str, letter: str):
    """A row has its number, the code's behaviour until then, and a step."""
    rows = _rows(page, _HEAD)

    assert [row[0] for row in rows] == [f"{letter}{n}" for n in range(1, len(rows) + 1)]
    assert all(len(row) == 4 and all(row) and "`" in row[3] for row in rows)


@pytest.mark.parametrize("page", PAGES)
def test_beyond_reach(page: str):
    """A question without a step gives the reason, and the code's behaviour until then."""
    assert all(len(row) == 3 and all(row) for row in _rows(page, _BEYOND))


@pytest.mark.parametrize("page", PAGES)
def test_no_second_list(page: str):
    """A page has no other list of open questions."""
    text = (REPO / "docs" / "facts" / f"{page}.md").read_text("utf-8")

    assert "only a live tenant can settle" not in text.replace(_section(page), "")
