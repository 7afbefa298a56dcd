"""`users`: all users that PhotoSync knows, or those that match."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from admin.console import would_change
from admin.console.cli import Cli, command
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.shell import Shell

_STATUSES = ("synced", "no-photo", "removed", "left", "skipped", "failed", "waiting")
# Programs rely on names and order: add new columns at the end.
COLUMNS = (
    *("userPrincipalName", "displayName", "status", "reason", "detail"),
    *("checkedAt", "syncedAt", "missingSince", "userId", "damage", "wouldChange"),
)


@command
@click.option(
    "--search", metavar="TEXT", default="", help="Users whose name or address begins with TEXT."
)
@click.option("--status", type=click.Choice(_STATUSES), help="Users with this status.")
@click.option("--gone", is_flag=True, help="Users whose photo is gone, but whose picture remains.")
@click.option("--differs", is_flag=True, help="Users whose picture in SharePoint was changed.")
@click.option(
    "--would-change",
    "changes",
    is_flag=True,
    help="Users whose picture would change if DRY_RUN were off.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --would-change: write a page with before and after pictures, for a change board.",
)
@waits(3600, "How long --html fetches pictures.")
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header line."
)
def users(
    cli: Cli,
    search: str,
    status: str | None,
    gone: bool,
    differs: bool,
    changes: bool,
    html: Path | None,
    timeout: float,
    as_csv: bool,
) -> int:
    """
    List all users that PhotoSync has processed, or those that match.

    A user must match all options. If --search alone matches nobody, Microsoft 365 is searched by
    any address, which also finds users not processed yet. --gone lists users whose picture will be
    removed next, --differs those whose picture an audit found changed in SharePoint, and
    --would-change those whose picture would be written, removed or repaired.

    --html writes one self-contained file with the pictures of the first 250 users, as fast as the
    app's profile budget allows. The exit code is 1 if nobody matches; with --html 4 if a picture
    could not be fetched, and 5 if the timeout passed; and with --would-change 5 while messages
    are waiting, because the list is then incomplete.

    The CSV columns are userPrincipalName, displayName, status, reason, detail, checkedAt,
    syncedAt, missingSince, userId, damage and wouldChange (copy, removal or repair); an apostrophe
    is put before a value that a spreadsheet would run as a formula.
    """
    _check(cli.output, as_csv=as_csv, html=html, changes=changes)
    wanted = {"gone": gone, "differs": differs, "would_change": changes}
    found = list(cli.console.users(search=search, status=status or "", **wanted))
    cli.output.document([dict(one.raw) for one in found])
    if as_csv:
        cli.output.verbatim(csv_text.table(COLUMNS, found))
    if html:
        return would_change.write(cli, found, html, seconds=timeout, quiet=as_csv)
    if not as_csv:
        _show(found, cli.output, changes=changes)
    late = would_change.unfinished(cli, cli.console.overview()) if changes else problems.FINE
    return late or (problems.FINE if found else problems.WRONG)


def _check(output: Output, *, as_csv: bool, html: Path | None, changes: bool) -> None:
    if as_csv and output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    if html and not changes:
        raise problems.Unusable("--html needs --would-change: add it.")


def _show(found: Sequence[Fields], output: Output, *, changes: bool) -> None:
    output.table(
        ["user", "name", "status", "synced", "detail"],
        [
            [
                one.text("userPrincipalName") or one.text("userId"),
                one.text("displayName"),
                one.text("status") or "not processed yet",
                one.when("syncedAt"),
                _what(one),
            ]
            for one in found
        ],
    )
    nobody = "No picture would change." if changes else "No known user matches."
    output.line(f"{len(found)} listed." if found else nobody)


def _what(one: Fields) -> str:
    if not one.text("status"):
        user = Shell.here().user(one.text("userPrincipalName"))
        return f"To copy now: manage.py replay {user}"
    return one.text("damage") or one.text("detail")
