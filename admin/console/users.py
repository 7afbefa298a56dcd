"""`users`: everybody whom PhotoSync knows, or those who fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from admin.console import would_change
from admin.console.desk import Desk, command
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.shell import Shell

_STATUSES = ("synced", "no-photo", "removed", "left", "skipped", "failed", "waiting")
# A program goes by names and order: new ones stand behind these.
COLUMNS = (
    *("userPrincipalName", "displayName", "status", "reason", "detail"),
    *("checkedAt", "syncedAt", "missingSince", "userId", "damage", "wouldChange"),
)


@command
@click.option("--search", metavar="TEXT", default="", help="The beginning of a name or address.")
@click.option("--status", type=click.Choice(_STATUSES), help="Only these.")
@click.option("--gone", is_flag=True, help="Whose photo is gone while the picture is still there.")
@click.option("--differs", is_flag=True, help="Whose picture in SharePoint was changed.")
@click.option(
    "--would-change",
    "changes",
    is_flag=True,
    help="Whose picture a run would change that may write.",
)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --would-change: a page with both pictures of each, for a change board.",
)
@waits(3600, "How long --html asks for pictures.")
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a header line.")
def users(
    desk: Desk,
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
    List everybody whom PhotoSync has looked at, or those who fit all options. Where --search alone
    fits nobody, Microsoft 365 is searched: by any address, and for whom is not looked at yet.

    With --gone these are the people whose pictures the next removals take, with --differs those
    whom an audit has found changed in SharePoint, and with --would-change everybody of whom a
    dry run tells that it would write, or whose picture would be removed or repaired.

    --html writes one file that holds everything, pictures of the first 250 included, at the pace
    that the app's profile budget allows. The exit code is 1 if nobody fits, with --html 4 if a
    picture could not be looked at and 5 if time was up, and with --would-change 5 as long as
    messages wait, for then the list is not whole.

    The columns of the CSV are userPrincipalName, displayName, status, reason, detail, checkedAt,
    syncedAt, missingSince, userId, damage and wouldChange (copy, removal or repair); an apostrophe
    stands before a value that a spreadsheet would take for a formula.
    """
    _check(desk.output, as_csv=as_csv, html=html, changes=changes)
    wanted = {"gone": gone, "differs": differs, "would_change": changes}
    found = list(desk.console.users(search=search, status=status or "", **wanted))
    desk.output.document([dict(one.raw) for one in found])
    if as_csv:
        desk.output.verbatim(csv_text.table(COLUMNS, found))
    if html:
        return would_change.write(desk, found, html, seconds=timeout, quiet=as_csv)
    if not as_csv:
        _show(found, desk.output, changes=changes)
    late = would_change.unfinished(desk, desk.console.overview()) if changes else problems.FINE
    return late or (problems.FINE if found else problems.WRONG)


def _check(output: Output, *, as_csv: bool, html: Path | None, changes: bool) -> None:
    if as_csv and output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    if html and not changes:
        raise problems.Unusable("--html goes with --would-change.")


def _show(found: Sequence[Fields], output: Output, *, changes: bool) -> None:
    output.table(
        ["user", "name", "status", "synced", "detail"],
        [
            [
                one.text("userPrincipalName") or one.text("userId"),
                one.text("displayName"),
                one.text("status") or "not looked at yet",
                one.when("syncedAt"),
                _what(one),
            ]
            for one in found
        ],
    )
    nobody = "Nobody's picture would change." if changes else "Nobody like that is known."
    output.line(f"{len(found)} listed." if found else nobody)


def _what(one: Fields) -> str:
    if not one.text("status"):
        user = Shell.here().word(one.text("userPrincipalName"))
        return f"To copy now: manage.py replay {user}"
    return one.text("damage") or one.text("detail")
