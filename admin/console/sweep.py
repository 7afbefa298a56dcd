"""`sweep`: look at everybody now, follow it, or release the removals that the brake holds back."""

from __future__ import annotations

import click

from admin.console import release
from admin.console.desk import Desk, command
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.options import waits
from admin.terminal.output import Output
from admin.terminal.waiting import wait_until

_BEGINS_WITHIN = 120


@command
@click.option("--wait", is_flag=True, help="Follow the sweep to its end, and say what it found.")
@click.option(
    "--release-removals", is_flag=True, help="Instead: release the removals the brake holds back."
)
@click.option("--yes", is_flag=True, help="Do not ask before anything is released.")
@waits(3600, "How long --wait waits.")
def sweep(desk: Desk, wait: bool, release_removals: bool, yes: bool, timeout: float) -> int:
    """
    Look at everybody now and not within the hour.

    A sweep that is running already goes on, and no second one begins. With --wait the exit code
    is 1 if the sweep failed or the brake holds removals back.

    --release-removals names how many people lose their pictures, and who, and asks; the exit code
    is 1 if the answer is no.
    """
    if wait and release_removals:
        raise problems.Unusable("Give --wait or --release-removals, not both.")
    if release_removals:
        return release.removals(desk, yes=yes)
    if wait:
        return _follow(desk, timeout)
    desk.output.document(desk.console.sweep().raw)
    desk.output.line("A sweep is queued; manage.py status shows how far it is.")
    return problems.FINE


def _follow(desk: Desk, seconds: float) -> int:
    console = desk.console
    before = console.overview().part("sweep")
    console.sweep()
    # One that was running is not joined by a second: its end is what was asked for.
    old = "" if before.text("status") == "running" else before.text("id")

    def begun() -> Fields | None:
        found = console.overview().part("sweep")
        return found if found and found.text("id") != old else None

    with desk.output.progress("Sweeping") as report:

        def over() -> Fields | None:
            found = console.overview().part("sweep")
            report(found.number("users"), found.number("expectedUsers"))
            return None if found.text("status") == "running" else found

        wait_until(
            begun,
            seconds=min(seconds, _BEGINS_WITHIN),
            late="The sweep is queued but has not begun: see photo-upkeep in manage.py status.",
        )
        end = wait_until(
            over,
            seconds=seconds,
            late="The sweep is still running: manage.py status shows how far it is.",
        )
    desk.output.document(end.raw)
    show_end(end, desk.output)
    show_fill(console.overview().part("fill"), desk.output)
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
        ["to look at", ", ".join(f"{changed.text(why)} {why}" for why in changed.raw) or "nobody"],
        ["removals", f"{sweep.text('removals')}, {sweep.number('gone')} photos gone"],
        ["forgetting", f"{sweep.text('forgetting')}, {sweep.number('left')} who left"],
    ]
    if sweep.text("eta"):
        rows.append(["ends about", sweep.when("eta")])
    output.table(["", ""], rows, "Sweep")


def show_fill(fill: Fields, output: Output) -> None:
    """How far those are whom a sweep has given turns; nothing once all had theirs."""
    if fill.text("status") != "running":
        return
    found = f"{fill.number('found')}" + ("" if fill.flag("isWhole") else " so far")
    rows = [["began", fill.when("startedAt")], ["had a turn", f"{fill.number('sent')} of {found}"]]
    if fill.text("eta"):
        rows.append(["done about", fill.when("eta")])
    output.table(["", ""], rows, "As fast as Microsoft allows")


def _of(sweep: Fields) -> str:
    expected = sweep.number("expectedUsers")
    running = sweep.text("status") == "running" and expected
    return f"{sweep.number('users')} of about {expected}" if running else sweep.text("users")
