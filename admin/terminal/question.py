"""The question before a command that is hard to undo."""

from __future__ import annotations

import sys

import click

from admin.terminal.output import Output, clean
from admin.terminal.problems import Unusable

_YES = "give --yes"
# For commands that show a plan.
WITH_PLAN = f"{_YES}, or --dry-run to see the plan only"


def must_be_possible(output: Output, *, instead: str = _YES) -> None:
    """Raises Unusable, which says what to do *instead*, if nobody can be asked."""
    if output.as_json or not (sys.stdin and sys.stdin.isatty()):
        raise Unusable(f"Cannot ask for confirmation without a terminal: {instead}.")


def agreed(question: str, output: Output, *, yes: bool, instead: str = _YES) -> bool:
    """Whether the user agrees, by --yes or by answering *question*. Raises as above."""
    if yes:
        return True
    must_be_possible(output, instead=instead)
    return click.confirm(clean(question), err=True)
