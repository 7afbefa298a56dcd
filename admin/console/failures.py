"""`failures`: lists the users whose last run failed, and why; dismisses failures."""

from __future__ import annotations

import click

from admin.console import matched_users
from admin.console.cli import Cli, command
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.question import agreed

_COLUMNS = ("userPrincipalName", "displayName", "reason", "detail", "checkedAt", "userId")


@command
@click.option(
    "--csv", "as_csv", is_flag=True, help="Print comma-separated values with a header line."
)
@click.option("--all", "everybody", is_flag=True, help="Include dismissed failures.")
@click.option(
    "--dismiss", "users", metavar="USER", multiple=True, help="Dismiss the failure of USER."
)
@click.option(
    "--dismiss-unreadable", is_flag=True, help="Dismiss all unreadable messages from the overview."
)
@click.option("--yes", is_flag=True, help="Dismiss without asking.")
def failures(
    cli: Cli,
    as_csv: bool,
    everybody: bool,
    users: tuple[str, ...],
    dismiss_unreadable: bool,
    yes: bool,
) -> int:
    """
    List the users whose last run failed, and why.

    The exit code is 1 if any failure is not dismissed. A dismissed failure comes back if the
    user fails for another reason, or fails again after a successful copy. Dismissing deletes
    nothing, and replay --failed includes dismissed users. In CSV, an apostrophe is put before a
    value that a spreadsheet would run as a formula.
    """
    if users or dismiss_unreadable:
        if as_csv or everybody:
            raise problems.Unusable("Dismissing does not go with --csv or --all: leave them out.")
        return _dismiss(cli, users, unreadable=dismiss_unreadable, yes=yes)
    if as_csv and cli.output.as_json:
        raise problems.Unusable("Give --csv or --json, not both.")
    listed = list(cli.console.users(status="failed"))
    left = [one for one in listed if not one.flag("dismissed")]
    found = listed if everybody else left
    cli.output.document([dict(one.raw) for one in found])
    if as_csv:
        cli.output.verbatim(csv_text.table(_COLUMNS, found))
    else:
        _show(found, left, hidden=len(listed) - len(left), output=cli.output)
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
        output.line(f"{len(left)} failed.{more} After fixing the cause: manage.py replay --failed")
    elif hidden:
        output.line(f"No failures; {hidden} dismissed: failures --all lists them.", style="green")
    else:
        output.line("No failures.", style="green")


def _dismiss(cli: Cli, users: tuple[str, ...], *, unreadable: bool, yes: bool) -> int:
    aside = cli.console.overview() if unreadable else Fields({})
    until = max((one.text("at") for one in aside.parts("unreadable")), default="")
    if unreadable and not until and not users:
        cli.output.document({"dismissed": 0, "unreadableTo": ""})
        cli.output.line("There are no unreadable messages.", style="green")
        return problems.FINE
    told = [f"the failure of {user}" for user in users]
    if until:
        told.append(f"{aside.number('unreadableCount')} unreadable messages")
    what = ", ".join(told)
    if not agreed(f"Dismiss {what}?", cli.output, yes=yes):
        cli.output.line("Nothing was changed.")
        return problems.WRONG
    answer = cli.console.dismiss(users, until)
    for user, taken in zip(users, answer.parts("users"), strict=False):
        matched_users.say_which_user(user, taken, cli.output)
    cli.output.document(answer.raw)
    cli.output.line(f"Dismissed: {what}.", style="green")
    return problems.FINE
