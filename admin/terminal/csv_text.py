"""A list as comma-separated values (RFC 4180) that no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from admin.terminal.fields import Fields
from admin.terminal.output import clean

# A spreadsheet runs a cell that begins like this as a formula, and people choose their own names.
# Where the comma is the decimal sign, a semicolon starts a new cell, and quotation marks at its
# start are dropped. `clean` turns tabs and line breaks, which can also start one, into spaces.
_FORMULA = re.compile(r'(^|;)([\s"]*)(?=[=+\-@])')


def table(columns: Sequence[str], rows: Iterable[Fields]) -> str:
    """A header, then one line a row; a value that could run as a formula gets an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_harmless(one.text(column)) for column in columns] for one in rows)
    return text.getvalue()


def _harmless(value: str) -> str:
    return _FORMULA.sub(r"\1\2'", clean(value))
