"""Starts an audit of all users, follows it to its end, and shows what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from admin.console.cli import Cli
from admin.console.console import Console
from admin.console.users import COLUMNS
from admin.terminal import csv_text, problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.waiting import wait_until

_FIRST = 20
# What the app says about repairs; a newer app may know more words.
_REPAIRS = {"free": "queued as they are found", "braked": "held back by the brake"}


def audit(cli: Cli, *, repair: bool, as_csv: bool, seconds: float) -> int:
    """Start an audit, or follow the one that is running; returns the exit code."""
    # stdout must hold nothing but CSV.
    say = cli.output.error if as_csv else cli.output.line
    ended = _followed(cli, cli.console.audit(repair=repair).part("audit"), say, seconds)
    repairs = repair and ended.text("repairs") != "braked" and ended.text("status") == "finished"
    left = _repaired(cli, ended, seconds) if repairs else _differing(cli.console)
    cli.output.document({"audit": dict(ended.raw), "differ": [dict(one.raw) for one in left]})
    if as_csv:
        cli.output.verbatim(csv_text.table(COLUMNS, left))
    else:
        show_end(ended, cli.output)
        _show_differing(left, cli.output, repair=repair)
    return problems.WRONG if left or _is_bad(ended) else problems.FINE


def show_end(audit: Fields, output: Output) -> None:
    """What an audit found, and what happens about it."""
    rows = [
        ["status", f"{audit.text('status')} {audit.text('detail')}".rstrip()],
        ["began", audit.when("startedAt")],
        ["checked", _of(audit)],
        ["differ", audit.text("differ")],
        ["unclear, left to the worker", audit.text("unclear")],
        ["no answer", audit.text("unanswered")],
        ["repairs", _repairs(audit)],
    ]
    if audit.text("waitingUntil"):
        rows.append(["waiting for the profile budget until", audit.when("waitingUntil")])
    output.table(["", ""], rows, "Audit of SharePoint")


def _repairs(audit: Fields) -> str:
    word = audit.text("repairs")
    return _REPAIRS.get(word, word) if audit.flag("repair") else "none: it only reports"


def _of(audit: Fields) -> str:
    if audit.text("status") != "running":
        return audit.text("looked")
    return f"{audit.text('looked')}; {audit.number('page') - 1} of {_pages(audit)} pages done"


def _pages(audit: Fields) -> int:
    return max(audit.number("expectedPages"), audit.number("page") - 1)


def _followed(cli: Cli, audit: Fields, say: Callable[[str], None], seconds: float) -> Fields:
    """The audit when it has ended. Raises Late."""
    told: set[str] = set()
    with cli.output.progress("Checking SharePoint, in pages") as report:

        def over() -> Fields | None:
            found = cli.console.overview().part("audit")
            report(found.number("page") - 1, _pages(found))
            until = found.when("waitingUntil")
            if until and until not in told:
                told.add(until)
                say(f"Waiting for the profile budget until {until}.")
            # A newer audit has replaced it.
            ended = found.text("id") != audit.text("id") or found.text("status") != "running"
            return found if ended else None

        return wait_until(
            over,
            seconds=seconds,
            late="The audit is still running: repeat the command to keep following it.",
        )


def _repaired(cli: Cli, audit: Fields, seconds: float) -> list[Fields]:
    """Who still differs once the worker has processed everybody found. Raises Late."""
    began = audit.moment("startedAt")
    with cli.output.progress("Repairing") as report:

        def settled() -> list[Fields] | None:
            left = _differing(cli.console)
            waiting = [one for one in left if _is_waiting(one, began)]
            report(audit.number("differ") - len(waiting), audit.number("differ"))
            return None if waiting else left

        return wait_until(
            settled,
            seconds=seconds,
            late="Not all repairs are done yet: manage.py users --differs lists the rest.",
        )


def _is_waiting(one: Fields, began: datetime | None) -> bool:
    checked = one.moment("checkedAt")
    looked = checked is not None and began is not None and checked >= began
    return not looked or one.text("status") == "waiting"


def _differing(console: Console) -> list[Fields]:
    return list(console.users(differs=True))


def _show_differing(left: list[Fields], output: Output, *, repair: bool) -> None:
    rows = [
        [one.text("userPrincipalName") or one.text("userId"), one.text("damage"), _why(one)]
        for one in left[:_FIRST]
    ]
    of = f", {_FIRST} of {len(left)} shown" if len(left) > _FIRST else ""
    output.table(["user", "what differs", "last run"], rows, f"SharePoint differs{of}")
    if not left:
        output.line("SharePoint shows what PhotoSync wrote.", style="green")
    elif not repair:
        output.line("To repair them: manage.py check --all --repair")


def _why(one: Fields) -> str:
    return f"{one.text('status')} {one.text('detail')}".rstrip()


def _is_bad(audit: Fields) -> bool:
    return audit.text("status") == "failed" or audit.text("repairs") == "braked"
