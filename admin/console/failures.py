"""`failures`: every user whose last run failed, and why."""

from __future__ import annotations

import csv
import io
import re

import click

from admin.console.desk import Desk, command
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.output import clean

_COLUMNS = ("userPrincipalName", "displayName", "reason", "detail", "checkedAt", "userId")
# A spreadsheet takes what begins so for a formula and runs it; names are what people chose. Where
# a comma is the decimal sign, a semicolon begins the next cell.
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@])")


@command
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a header line.")
def failures(desk: Desk, as_csv: bool) -> int:
    """
    List the users whose last run failed, each with the reason.

    The exit code is 1 if there are any. In CSV an apostrophe stands before a value that a
    spreadsheet would take for a formula.
    """
    if as_csv and desk.output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    found = list(desk.console.users(status="failed"))
    desk.output.document([dict(one.raw) for one in found])
    if as_csv:
        desk.output.verbatim(_csv(found))
        return problems.WRONG if found else problems.FINE
    desk.output.table(
        ["user", "name", "checked", "why"],
        [
            [
                one.text("userPrincipalName") or one.text("userId"),
                one.text("displayName"),
                one.when("checkedAt"),
                one.text("detail"),
            ]
            for one in found
        ],
    )
    if not found:
        desk.output.line("Nobody's last run failed.", style="green")
        return problems.FINE
    desk.output.line(f"{len(found)} failed. Once mended: manage.py replay --failed")
    return problems.WRONG


def _csv(found: list[Fields]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows([_harmless(one.text(column)) for column in _COLUMNS] for one in found)
    return text.getvalue()


def _harmless(value: str) -> str:
    return _FORMULA.sub(r"\1\2'", clean(value))
