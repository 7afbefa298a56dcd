"""`uninstall`: take PhotoSync back, follow the app at it, or take that order back."""

from __future__ import annotations

import click

from admin.console.desk import Desk, command
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.question import WITH_PLAN, agreed
from admin.terminal.waiting import wait_until

_NEXT = (
    "Now take the rights back, too: manage.py grant --revoke with the options they were granted "
    "with. Then azd down."
)
_LATE = "It goes on without us: the same command follows it again."


@command
@click.option(
    "--remove-pictures",
    is_flag=True,
    help="Take back what PhotoSync wrote into SharePoint, so that its own sync works again.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--cancel", is_flag=True, help="Instead: take the order back, and have everything made anew."
)
@waits(86_400, "How long to follow it.", least=1)
def uninstall(
    desk: Desk, remove_pictures: bool, dry_run: bool, yes: bool, cancel: bool, timeout: float
) -> int:
    """
    Stop PhotoSync and take it back: the subscription, what it remembers, and pictures if asked.

    It shows a plan and asks. The app does the work, at least five minutes of it; the same command
    again goes on where it stands, and says in the end that nothing is left. Pictures stay as they
    are without --remove-pictures; one that a person chose stays in any case. The exit code is 1
    if something could not be taken back: who and why is listed.
    """
    if cancel:
        if remove_pictures or dry_run:
            raise problems.Unusable("Give --cancel alone.")
        return _cancel(desk)
    overview = desk.console.overview()
    before = overview.part("uninstall")
    if _is_over(overview):
        desk.output.document(before.raw)
        desk.output.line(f"Nothing is left to take back. {_NEXT}", style="green")
        return problems.FINE
    runs = before.text("status") == "running"
    if runs:
        desk.output.line(f"It was ordered at {before.when('startedAt')} and goes on.")
    else:
        _show_plan(overview, desk.output, remove=remove_pictures)
    if dry_run:
        desk.output.document(_plan(overview, remove=remove_pictures))
        return problems.FINE
    question = (
        "Uninstall PhotoSync, and take its pictures out of SharePoint?"
        if remove_pictures
        else "Uninstall PhotoSync?"
    )
    if not agreed(question, desk.output, yes=yes or runs, instead=WITH_PLAN):
        desk.output.line("Nothing was changed.")
        return problems.WRONG
    return _follow(desk, remove=remove_pictures, seconds=timeout)


def _cancel(desk: Desk) -> int:
    answer = desk.console.cancel_uninstall()
    desk.output.document(answer.raw)
    told = (
        "The order is taken back: a subscription is made, and a sweep has everybody copied who was "
        "taken back. See manage.py status."
        if answer.flag("cancelled")
        else "Nobody has ordered to uninstall PhotoSync."
    )
    desk.output.line(told)
    return problems.FINE


def _is_over(overview: Fields) -> bool:
    """Whether all of it was taken back, and nobody counted anything since."""
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
        f"about {pictures} that PhotoSync wrote are taken back: files to the recycle bin, profile "
        "properties emptied"
        if remove
        else f"about {pictures} that PhotoSync wrote stay as they are"
    )
    until = f" until {subscription.when('expiresAt')}" if subscription.text("expiresAt") else ""
    rows = [
        ["log of orders", "stays, and goes with azd down"],
        ["copying", "stops: no sweep, no notification, no replay"],
        ["subscription", f"is deleted, {subscription.text('status')}{until}"]
        if subscription
        else ["subscription", "none is known; if Graph has one of ours, it is deleted"],
        ["pictures", ours],
        ["states", f"{_states(overview)} users are forgotten"],
        [
            "stays",
            "pictures that a person chose; photos in Exchange; sweeps' records and messages set "
            "aside, until azd down; the rights, until manage.py grant --revoke",
        ],
    ]
    output.table(["", ""], rows, "Plan")


def _follow(desk: Desk, *, remove: bool, seconds: float) -> int:
    console, output = desk.console, desk.output
    ordered = console.uninstall(remove_pictures=remove).part("uninstall").text("id")
    output.line(f"Five minutes at least pass before its end. {_LATE}")
    with output.progress("Taking back") as report:

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
        ["user", "why it was not taken back"],
        [
            [one.text("userPrincipalName") or one.text("userId"), one.text("detail")]
            for one in end.parts("problems")
        ],
        "Left",
    )
    left, refused = end.number("left"), end.text("subscription")
    if end.text("status") != "done":
        why = end.text("detail") or "Somebody ordered something else."
        output.line(f"It is {end.text('status')}: {why}", style="bold red")
        return problems.WRONG
    if refused:
        output.line(
            f"The subscription is left, and ends by itself within a month: {refused}",
            style="bold red",
        )
    if left:
        why = f" {end.text('detail')}" if end.text("detail") else ""
        output.line(
            f"{left} users are left.{why} Mend what is in the way and repeat the command; without "
            "--remove-pictures it forgets them and leaves their pictures.",
            style="bold red",
        )
    if left or refused:
        return problems.WRONG
    pictures = "" if end.flag("removePictures") else " The pictures stay in SharePoint."
    output.line(f"PhotoSync is taken back.{pictures} {_NEXT}", style="green")
    return problems.FINE
