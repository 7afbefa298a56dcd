"""`uninstall`: uninstalls PhotoSync, shows the progress, or cancels it."""

from __future__ import annotations

import click

from admin.console.cli import Cli, command
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.question import WITH_PLAN, agreed
from admin.terminal.waiting import wait_until

_NEXT = (
    "Next, revoke the rights: manage.py grant --revoke with the options that granted them. Then "
    "azd down."
)
_LATE = "It continues if you stop this command; repeat the command to see the progress."


@command
@click.option(
    "--remove-pictures",
    is_flag=True,
    help="Remove what PhotoSync wrote to SharePoint, so that SharePoint's own sync works again.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Uninstall without asking.")
@click.option("--cancel", is_flag=True, help="Cancel the uninstallation and restore everything.")
@waits(86_400, "How long to wait for the end.", least=1)
def uninstall(
    cli: Cli, remove_pictures: bool, dry_run: bool, yes: bool, cancel: bool, timeout: float
) -> int:
    """
    Stop PhotoSync and remove what it stored, and its pictures on request.

    It shows a plan and asks. The app deletes its subscription and its stored state, which takes at
    least five minutes. Repeat the command to see the progress, or to confirm that nothing is left.
    Without --remove-pictures, pictures stay as they are; one that a person chose always stays.
    The exit code is 1 if something could not be removed; the users are listed with the reason.
    """
    if cancel:
        if remove_pictures or dry_run:
            raise problems.Unusable("Give --cancel alone.")
        return _cancel(cli)
    overview = cli.console.overview()
    before = overview.part("uninstall")
    if _is_over(overview):
        cli.output.document(before.raw)
        cli.output.line(f"Nothing is left to remove. {_NEXT}", style="green")
        return problems.FINE
    runs = before.text("status") == "running"
    if runs:
        cli.output.line(f"It was started at {before.when('startedAt')} and is still running.")
    else:
        _show_plan(overview, cli.output, remove=remove_pictures)
    if dry_run:
        cli.output.document(_plan(overview, remove=remove_pictures))
        return problems.FINE
    question = (
        "Uninstall PhotoSync and remove its pictures from SharePoint?"
        if remove_pictures
        else "Uninstall PhotoSync?"
    )
    if not agreed(question, cli.output, yes=yes or runs, instead=WITH_PLAN):
        cli.output.line("Nothing was changed.")
        return problems.WRONG
    return _follow(cli, remove=remove_pictures, seconds=timeout)


def _cancel(cli: Cli) -> int:
    answer = cli.console.cancel_uninstall()
    cli.output.document(answer.raw)
    told = (
        "The uninstallation is cancelled: the subscription is created again, and a sweep copies "
        "the photos of all users whose state was deleted. See manage.py status."
        if answer.flag("cancelled")
        else "There is nothing to cancel: PhotoSync is not being uninstalled."
    )
    cli.output.line(told)
    return problems.FINE


def _is_over(overview: Fields) -> bool:
    """Whether everything was removed, and nothing has been counted since."""
    before = overview.part("uninstall")
    if before.text("status") != "done" or before.number("left") or before.text("subscription"):
        return False
    counted, finished = overview.moment("countedAt"), before.moment("finishedAt")
    is_fresh = bool(counted and finished and counted > finished)
    return not (is_fresh and _states(overview)) and not overview.part("subscription")


def _states(overview: Fields) -> int:
    counts = overview.part("counts")
    return sum(counts.number(status) for status in counts.raw)


def _plan(overview: Fields, *, remove: bool) -> dict[str, object]:
    subscription = overview.part("subscription")
    return {
        "removePictures": remove,
        "pictures": overview.number("pictures"),
        "states": _states(overview),
        "subscription": subscription.raw or None,
    }


def _show_plan(overview: Fields, output: Output, *, remove: bool) -> None:
    subscription = overview.part("subscription")
    pictures = overview.number("pictures")
    ours = (
        f"about {pictures} that PhotoSync wrote are removed: files go to the recycle bin, profile "
        "properties are cleared"
        if remove
        else f"about {pictures} that PhotoSync wrote stay as they are"
    )
    until = f" until {subscription.when('expiresAt')}" if subscription.text("expiresAt") else ""
    rows = [
        ["log of orders", "stays until azd down"],
        ["copying", "stops: no sweeps, notifications or replays"],
        ["subscription", f"is deleted ({subscription.text('status')}{until})"]
        if subscription
        else ["subscription", "none known; any that Graph still has for the app is deleted"],
        ["pictures", ours],
        ["stored state", f"of {_states(overview)} users is deleted"],
        [
            "stays",
            "pictures that a person chose; photos in Exchange; until azd down: records of sweeps "
            "and unreadable messages; until manage.py grant --revoke: the rights",
        ],
    ]
    output.table(["", ""], rows, "Plan")


def _follow(cli: Cli, *, remove: bool, seconds: float) -> int:
    console, output = cli.console, cli.output
    ordered = console.uninstall(remove_pictures=remove).part("uninstall").text("id")
    output.line(f"This takes at least five minutes. {_LATE}")
    with output.progress("Uninstalling") as report:

        def over() -> Fields | None:
            found = console.overview().part("uninstall")
            of = found.number("expected")
            report(max(0, of - found.number("left")), of)
            runs = (found.text("id"), found.text("status")) == (ordered, "running")
            return None if runs else found

        end = wait_until(over, seconds=seconds, late=_LATE)
    output.document(end.raw)
    return _show_end(end, output)


def _show_end(end: Fields, output: Output) -> int:
    output.table(
        ["user", "why it was not removed"],
        [
            [one.text("userPrincipalName") or one.text("userId"), one.text("detail")]
            for one in end.parts("problems")
        ],
        "Left",
    )
    left, refused = end.number("left"), end.text("subscription")
    if end.text("status") != "done":
        why = end.text("detail") or "another order replaced it."
        output.line(f"The uninstallation is {end.text('status')}: {why}", style="bold red")
        return problems.WRONG
    if refused:
        output.line(
            f"The subscription could not be deleted; it expires within a month: {refused}",
            style="bold red",
        )
    if left:
        why = f" {end.text('detail')}" if end.text("detail") else ""
        output.line(
            f"{left} users are left.{why} Fix the cause and repeat the command. Without "
            "--remove-pictures it deletes their state and leaves their pictures.",
            style="bold red",
        )
    if left or refused:
        return problems.WRONG
    pictures = "" if end.flag("removePictures") else " The pictures stay in SharePoint."
    output.line(f"PhotoSync is uninstalled.{pictures} {_NEXT}", style="green")
    return problems.FINE
