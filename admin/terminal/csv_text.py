"""A list as comma-separated values (RFC 4180), of which a spreadsheet runs none."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

from admin.terminal.fields import Fields
from admin.terminal.output import clean

# A spreadsheet takes what begins so for a formula and runs it; names are what people chose. Where
# a comma is the decimal sign, a semicolon begins the next cell, and quotation marks before the rest
# are left out. Tabs and line breaks, which may begin one too, `clean` makes spaces of.
_FORMULA = re.compile(r'(^|;)([\s"]*)(?=[=+\-@])')


def table(columns: Sequence[str], rows: Iterable[Fields]) -> str:
    """A header and a line each; before what could pass for a formula stands an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_harmless(one.text(column)) for column in columns] for one in rows)
    return text.getvalue()


def _harmless(value: str) -> str:
    return _FORMULA.sub(r"\1\2'", clean(value))
