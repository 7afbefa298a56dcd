"""`python -m tests.admin.console.help_page` writes the help texts into docs/manage.md."""

from __future__ import annotations

from admin.program import help_texts
from tests import REPO
from tools import tables

PAGE = REPO / "docs" / "manage.md"
MARK = "manage.py"


def block() -> str:
    """What stands between the marks: the help of the program, then a heading for each command."""
    program, *commands = help_texts().split("\n\nUsage: ")
    named = [f"## {each.split()[1]}\n\n{_fenced(f'Usage: {each}')}" for each in commands]
    return "\n\n".join([_fenced(program), *named])


def _fenced(text: str) -> str:
    return f"```\n{text}\n```"


if __name__ == "__main__":
    tables.write(PAGE, MARK, block())
