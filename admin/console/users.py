"""`users`: everybody whom PhotoSync knows, or those who fit."""

from __future__ import annotations

import click

from admin.console.desk import Desk, command
from admin.terminal import csv_text, problems

_STATUSES = ("synced", "no-photo", "removed", "left", "skipped", "failed", "waiting")
# A program goes by names and order: new ones stand behind these.
COLUMNS = (
    *("userPrincipalName", "displayName", "status", "reason", "detail"),
    *("checkedAt", "syncedAt", "missingSince", "userId", "damage"),
)


@command
@click.option("--search", metavar="TEXT", default="", help="The beginning of a name, UPN or id.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only these.")
@click.option("--gone", is_flag=True, help="Whose photo is gone while the picture is still there.")
@click.option("--differs", is_flag=True, help="Whose picture in SharePoint was changed.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a header line.")
def users(
    desk: Desk, search: str, status: str | None, gone: bool, differs: bool, as_csv: bool
) -> int:
    """
    List everybody whom PhotoSync has looked at, or those who fit all options.

    With --gone these are the people whose pictures the next removals take, with --differs those
    whom an audit has found changed in SharePoint. The exit code is 1 if nobody fits. The columns
    of the CSV are userPrincipalName, displayName, status, reason, detail, checkedAt, syncedAt,
    missingSince, userId and damage; an apostrophe stands before a value that a spreadsheet would
    take for a formula.
    """
    if as_csv and desk.output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    found = list(desk.console.users(search=search, status=status or "", gone=gone, differs=differs))
    desk.output.document([dict(one.raw) for one in found])
    if as_csv:
        desk.output.verbatim(csv_text.table(COLUMNS, found))
        return problems.FINE if found else problems.WRONG
    desk.output.table(
        ["user", "name", "status", "synced", "detail"],
        [
            [
                one.text("userPrincipalName") or one.text("userId"),
                one.text("displayName"),
                one.text("status"),
                one.when("syncedAt"),
                one.text("damage") or one.text("detail"),
            ]
            for one in found
        ],
    )
    desk.output.line(f"{len(found)} listed." if found else "Nobody like that is known.")
    return problems.FINE if found else problems.WRONG
