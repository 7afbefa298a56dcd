"""`failures`: every user whose last run failed, and why; and lines that were dealt with."""

from __future__ import annotations

import click

from admin.console import whom
from admin.console.desk import Desk, command
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.question import agreed

_COLUMNS = ("userPrincipalName", "displayName", "reason", "detail", "checkedAt", "userId")


@command
@click.option("--csv", "as_csv", is_flag=True, help="Comma-separated values, with a header line.")
@click.option("--all", "everybody", is_flag=True, help="Also those that were dismissed.")
@click.option(
    "--dismiss", "users", metavar="USER", multiple=True, help="Take this failure off the list."
)
@click.option(
    "--dismiss-unreadable", is_flag=True, help="Take all messages set aside off the overview."
)
@click.option("--yes", is_flag=True, help="Do not ask before anything is dismissed.")
def failures(
    desk: Desk,
    as_csv: bool,
    everybody: bool,
    users: tuple[str, ...],
    dismiss_unreadable: bool,
    yes: bool,
) -> int:
    """
    List the users whose last run failed, each with the reason.

    The exit code is 1 if there are any that nobody has dismissed. A failure that is dismissed
    comes back if the reason is another one, or if the photo was copied in between; nothing is
    deleted, and replay --failed still looks at it. In CSV an apostrophe stands before a value that
    a spreadsheet would take for a formula.
    """
    if users or dismiss_unreadable:
        if as_csv or everybody:
            raise problems.Unusable("Give what to dismiss without --csv and --all.")
        return _dismiss(desk, users, unreadable=dismiss_unreadable, yes=yes)
    if as_csv and desk.output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    listed = list(desk.console.users(status="failed"))
    left = [one for one in listed if not one.flag("dismissed")]
    found = listed if everybody else left
    desk.output.document([dict(one.raw) for one in found])
    if as_csv:
        desk.output.verbatim(csv_text.table(_COLUMNS, found))
    else:
        _show(found, left, hidden=len(listed) - len(left), output=desk.output)
    return problems.WRONG if left else problems.FINE


def _show(found: list[Fields], left: list[Fields], *, hidden: int, output: Output) -> None:
    output.table(
        ["user", "name", "checked", "why"],
        [
            [
                one.text("userPrincipalName") or one.text("userId"),
                one.text("displayName"),
                one.when("checkedAt"),
                one.text("detail") + (" (dismissed)" if one.flag("dismissed") else ""),
            ]
            for one in found
        ],
    )
    if left:
        more = f" {hidden} more dismissed." if hidden else ""
        output.line(f"{len(left)} failed.{more} Once mended: manage.py replay --failed")
    elif hidden:
        output.line(f"No failure but {hidden} dismissed: failures --all lists them.", style="green")
    else:
        output.line("Nobody's last run failed.", style="green")


def _dismiss(desk: Desk, users: tuple[str, ...], *, unreadable: bool, yes: bool) -> int:
    aside = desk.console.overview() if unreadable else Fields({})
    until = max((one.text("at") for one in aside.parts("unreadable")), default="")
    if unreadable and not until and not users:
        desk.output.document({"dismissed": 0, "unreadableTo": ""})
        desk.output.line("No message is set aside.", style="green")
        return problems.FINE
    told = [f"the failure of {user}" for user in users]
    if until:
        told.append(f"{aside.number('unreadableCount')} messages set aside")
    what = ", ".join(told)
    if not agreed(f"Dismiss {what}?", desk.output, yes=yes):
        desk.output.line("Nothing was changed.")
        return problems.WRONG
    answer = desk.console.dismiss(users, until)
    for user, taken in zip(users, answer.parts("users"), strict=False):
        whom.say_taken(user, taken, desk.output)
    desk.output.document(answer.raw)
    desk.output.line(f"Dismissed: {what}.", style="green")
    return problems.FINE
