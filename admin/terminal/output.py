"""
What a command prints on stdout: tables and bars in a terminal, plain lines elsewhere, or JSON.

Names come from a directory that many people may write to: control characters are replaced, and
markup is printed as plain text.
"""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

import click

if TYPE_CHECKING:
    from rich.console import Console as Terminal
    from rich.progress import Progress as Bar

# Control characters and lone surrogates; and the characters that change the writing direction.
_STEERING = {"Cc", "Cs"}
_TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Report(Protocol):
    """Reports progress."""

    def __call__(self, done: int, of: int, sentence: str = "") -> None:
        """*done* of *of* are finished; *of* is 0 if unknown. *sentence* describes it."""
        ...


class Output:
    """Prints in one of three formats; a call that belongs to another format prints nothing."""

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self._stream = stream
        self.as_json = as_json
        self._terminal = None if as_json or not stream.isatty() else _terminal(stream)
        self._bar: Bar | None = None

    def document(self, value: Any) -> None:
        """The whole answer, for programs; called once a command."""
        if self.as_json:
            self._write(json.dumps(value, indent=2))

    def verbatim(self, text: str) -> None:
        """Text with its own format, such as CSV; line ends are not changed."""
        if isinstance(self._stream, io.TextIOWrapper):
            self._stream.reconfigure(newline="")
        self._stream.write(text)
        self._stream.flush()

    def error(self, sentence: str) -> None:
        """A sentence on stderr, whatever the format."""
        click.echo(clean(sentence), err=True)

    def line(self, text: str, *, style: str = "") -> None:
        """A sentence for people."""
        if self.as_json:
            return
        if self._terminal:
            from rich.text import Text

            self._terminal.print(Text(clean(text), style=style))
        else:
            self._write(clean(text))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
        """Rows for people; prints nothing if there are no rows."""
        if self.as_json or not rows:
            return
        cells = [[clean(cell) for cell in row] for row in rows]
        if self._terminal:
            self._draw(columns, cells, title)
        else:
            lines = _aligned(columns, cells)
            self._write(
                "\n".join([f"{title}:", *(f"  {line}" for line in lines)] if title else lines)
            )

    @contextmanager
    def progress(self, what: str) -> Iterator[Report]:
        """A progress bar in a terminal; elsewhere a line for each new sentence."""
        if not self._terminal:
            yield self._each_new_line()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (
            TextColumn(clean(what), markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[sentence]}", markup=False),
        )
        with Progress(*columns, console=self._terminal, transient=True) as bar:
            task = bar.add_task("", total=None, sentence="")

            def draw(done: int, of: int, sentence: str = "") -> None:
                bar.update(
                    task, completed=done, total=max(of, done) or None, sentence=clean(sentence)
                )

            self._bar = bar
            try:
                yield draw
            finally:
                self._bar = None

    @contextmanager
    def without_bar(self) -> Iterator[None]:
        """Hide the bar while the block runs: ten times a second it would overwrite a prompt."""
        bar = self._bar
        if bar is None:
            yield
            return
        bar.stop()
        try:
            yield
        finally:
            bar.start()

    def _each_new_line(self) -> Report:
        last = ""

        def write(done: int, of: int, sentence: str = "") -> None:
            nonlocal last
            if sentence and sentence != last:
                self.line(sentence)
            last = sentence

        return write

    def _draw(self, columns: Sequence[str], rows: list[list[str]], title: str) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            # Otherwise the line below the header is drawn even if there is no header.
            box=box.SIMPLE_HEAD if any(columns) else None,
            title=Text(title) if title else None,
            title_justify="left",
            show_header=any(columns),
            padding=(0, 1, 0, 2) if not any(columns) else (0, 1),
        )
        for column in columns:
            table.add_column(Text(column), overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
        if self._terminal:
            self._terminal.print(table)

    def _write(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


_STYLES = {
    "ok": "green",
    "synced": "green",
    "yes": "green",
    "live": "green",
    "failed": "bold red",
    "wrong": "bold red",
    "no": "bold red",
    "waiting": "yellow",
}


def clean(text: str) -> str:
    """*text* on one line, without characters that control a terminal."""
    spaced = " ".join(text.split())
    return "".join("\N{REPLACEMENT CHARACTER}" if _steers(c) else c for c in spaced)


def _steers(character: str) -> bool:
    return unicodedata.category(character) in _STEERING or character in _TURNING


def _aligned(columns: Sequence[str], rows: list[list[str]]) -> list[str]:
    lines = [list(columns), *rows] if any(columns) else rows
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _terminal(stream: TextIO) -> Terminal:
    from rich.console import Console as Terminal

    return Terminal(file=stream, highlight=False, markup=False, emoji=False)
