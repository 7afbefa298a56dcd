"""`sweep`: checks all users now; waits for the end, or releases held-back removals."""

from __future__ import annotations

import click

from admin.console import release
from admin.console.cli import Cli, command
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.waiting import wait_until

_BEGINS_WITHIN = 120
# What the app says about removals; a newer app may know more words.
_REMOVALS = {
    "none": "decided at the end",
    "due": "not queued yet",
    "braked": "held back by the brake",
}


@command
@click.option(
    "--wait", is_flag=True, help="Wait until the sweep has ended, and show what it found."
)
@click.option(
    "--release-removals", is_flag=True, help="Release the removals that the brake holds back."
)
@click.option("--yes", is_flag=True, help="Release without asking.")
@waits(3600, "How long --wait waits for the end.")
def sweep(cli: Cli, wait: bool, release_removals: bool, yes: bool, timeout: float) -> int:
    """
    Check all users for changed photos now.

    Without this command, a sweep starts every hour by default. If a sweep is already running, it
    continues and no second one starts. With --wait the exit code is 1 if the sweep failed or the
    brake holds removals back.

    --release-removals says how many people will lose their pictures, and who, and asks. The exit
    code is 1 if the answer is no.
    """
    if wait and release_removals:
        raise problems.Unusable("Give --wait or --release-removals, not both.")
    if release_removals:
        return release.removals(cli, yes=yes)
    if wait:
        return _follow(cli, timeout)
    cli.output.document(cli.console.sweep().raw)
    cli.output.line("A sweep is queued; manage.py status shows its progress.")
    return problems.FINE


def _follow(cli: Cli, seconds: float) -> int:
    console = cli.console
    before = console.overview().part("sweep")
    console.sweep()
    # If one was running, no second one starts: wait for that one.
    old = "" if before.text("status") == "running" else before.text("id")

    def begun() -> Fields | None:
        found = console.overview().part("sweep")
        return found if found and found.text("id") != old else None

    with cli.output.progress("Sweeping") as report:

        def over() -> Fields | None:
            found = console.overview().part("sweep")
            report(found.number("users"), found.number("expectedUsers"))
            return None if found.text("status") == "running" else found

        wait_until(
            begun,
            seconds=min(seconds, _BEGINS_WITHIN),
            late="The sweep is queued but has not started: see photo-upkeep in manage.py status.",
        )
        end = wait_until(
            over,
            seconds=seconds,
            late="The sweep is still running: manage.py status shows its progress.",
        )
    cli.output.document(end.raw)
    show_end(end, cli.output)
    show_fill(console.overview().part("fill"), cli.output)
    braked = "braked" in {end.text("removals"), end.text("forgetting")}
    wrong = end.text("status") == "failed" or braked
    return problems.WRONG if wrong else problems.FINE


def show_end(sweep: Fields, output: Output) -> None:
    """What a sweep found, and what it did about it."""
    changed = sweep.part("changed")
    rows = [
        ["status", f"{sweep.text('status')} {sweep.text('detail')}".rstrip()],
        ["began", sweep.when("startedAt")],
        ["users", _of(sweep)],
        ["in scope", str(sweep.number("inScope"))],
        [
            "queued, by reason",
            ", ".join(f"{changed.text(why)} {why}" for why in changed.raw) or "0",
        ],
        ["pictures to remove", _removed(sweep, "gone", "removals")],
        ["users to forget", _removed(sweep, "left", "forgetting")],
    ]
    if sweep.text("eta"):
        rows.append(["expected end", sweep.when("eta")])
    output.table(["", ""], rows, "Sweep")


def show_fill(fill: Fields, output: Output) -> None:
    """How many users on the waiting list are queued; nothing once all are."""
    if fill.text("status") != "running":
        return
    found = f"{fill.number('found')}" + ("" if fill.flag("isWhole") else " so far")
    rows = [["began", fill.when("startedAt")], ["queued", f"{fill.number('sent')} of {found}"]]
    if fill.text("eta"):
        rows.append(["expected end", fill.when("eta")])
    output.table(["", ""], rows, "First copies, as fast as Microsoft allows")


def _removed(sweep: Fields, found: str, decided: str) -> str:
    if not sweep.number(found):
        return "0"
    word = _REMOVALS.get(sweep.text(decided), sweep.text(decided))
    if sweep.text("status") == "failed" and sweep.text(decided) == "none":
        word = "none is removed, since the sweep failed"
    return f"{sweep.number(found)}, {word}"


def _of(sweep: Fields) -> str:
    expected = sweep.number("expectedUsers")
    running = sweep.text("status") == "running" and expected
    return f"{sweep.number('users')} of about {expected}" if running else sweep.text("users")
