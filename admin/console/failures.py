"""`failures`: every user whose last run failed, and why."""

from __future__ import annotations

import click

from admin.console.desk import Desk, command
from admin.terminal import csv_text, problems

_COLUMNS = ("userPrincipalName", "displayName", "reason", "detail", "checkedAt", "userId")


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
        desk.output.verbatim(csv_text.table(_COLUMNS, found))
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
