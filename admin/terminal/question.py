"""The question before an order that is hard to take back."""

from __future__ import annotations

import sys

import click

from admin.terminal.output import Output, clean
from admin.terminal.problems import Unusable

_YES = "give --yes"
# Where there is a plan to look at.
WITH_PLAN = f"{_YES}, or --dry-run to see the plan only"


def must_be_possible(output: Output, *, instead: str = _YES) -> None:
    """Raises Unusable, which says what to do *instead*, where nobody can be asked."""
    if output.as_json or not (sys.stdin and sys.stdin.isatty()):
        raise Unusable(f"Nobody can be asked here: {instead}.")


def agreed(question: str, output: Output, *, yes: bool, instead: str = _YES) -> bool:
    """Whether somebody agrees: by --yes already, or to the *question*. Raises as above."""
    if yes:
        return True
    must_be_possible(output, instead=instead)
    return click.confirm(clean(question), err=True)
