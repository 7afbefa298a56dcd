"""Releases what a brake holds back, after showing how many people it affects, and who."""

from __future__ import annotations

from collections.abc import Callable

from admin.console import matched_users
from admin.console.cli import Cli
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.question import agreed


def removals(cli: Cli, *, yes: bool) -> int:
    """Release removals, and the forgetting of leavers; returns an exit code."""
    brake = cli.console.overview().part("brake")
    gone, left = brake.number("gone"), brake.number("left")
    if not brake.flag("engaged"):
        return _nothing(cli, "The brake holds nothing back.")
    if gone:
        cli.output.line(
            f"{gone} people will lose their pictures in SharePoint, because their photos are gone "
            "from Exchange. Each is checked again before the picture is removed."
        )
        matched_users.show_first(
            cli.console.users(gone=True),
            gone,
            cli.output,
            also=[("gone since", "missingSince")],
            more=": manage.py users --gone",
        )
    if left:
        cli.output.line(
            f"{left} people who left will be forgotten, and their pictures removed from "
            "SharePoint. The people who left include:"
        )
        matched_users.show_first(
            cli.console.users(status="left"),
            left,
            cli.output,
            also=[("left since", "leftSince")],
            more=": manage.py users --status left",
        )
    return _release(
        cli, "Release the removals?", cli.console.release_removals, "{} removals are", yes=yes
    )


def repairs(cli: Cli, *, yes: bool) -> int:
    """Release repairs; returns an exit code. Raises Unsound if the app is too old for that."""
    overview = cli.console.overview()
    if "repairBrake" not in overview.raw:
        raise problems.Unsound("The app is too old to report held-back repairs: deploy it again.")
    brake = overview.part("repairBrake")
    if not brake.flag("engaged"):
        return _nothing(cli, "The brake holds no repairs back.")
    differ = brake.number("differ")
    cli.output.line(
        f"{differ} pictures will be rewritten to match Exchange. First make sure that whatever "
        "changed them has stopped: an import, a migration, another sync."
    )
    matched_users.show_first(
        cli.console.users(differs=True),
        differ,
        cli.output,
        also=[("what differs", "damage")],
        more=": manage.py users --differs",
    )
    return _release(
        cli,
        "Release the repairs?",
        cli.console.release_repairs,
        "The repairs of {} pictures are",
        yes=yes,
    )


def _nothing(cli: Cli, sentence: str) -> int:
    cli.output.document({"released": 0})
    cli.output.line(sentence)
    return problems.FINE


def _release(cli: Cli, question: str, order: Callable[[], Fields], what: str, *, yes: bool) -> int:
    if not agreed(question, cli.output, yes=yes):
        cli.output.line("Nothing was changed.")
        return problems.WRONG
    answer = order()
    cli.output.document(answer.raw)
    cli.output.line(f"{what.format(answer.number('released'))} released.")
    return problems.FINE
