"""The person at the terminal, who does what a program cannot do."""

from __future__ import annotations

import sys

import click

from admin.acceptance.finding import NotRun
from admin.terminal.output import Output, clean


class TerminalPerson:
    """Asks on stderr, and waits for an answer."""

    def __init__(self, output: Output, *, by_hand: bool) -> None:
        self._output = output
        self._by_hand = by_hand

    def must_be_there(self) -> None:
        """Raises NotRun if nobody can do anything by hand, so that nothing is written in vain."""
        if not self._by_hand:
            raise NotRun("it needs a person: leave out --hands-off")
        if self._output.as_json or not (sys.stdin and sys.stdin.isatty()):
            raise NotRun("it needs a person at a terminal, and there is none")

    def does(self, what: str) -> None:
        """Ask for *what*, and return once it is done. Raises NotRun if nobody does it."""
        self.must_be_there()
        with self._output.without_bar():
            is_done = click.confirm(clean(f"{what} Done?"), default=True, err=True)
        if not is_done:
            raise NotRun("the person did not do it")
