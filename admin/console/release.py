"""Releases what a brake holds back, after showing how many people it affects, and who."""

from __future__ import annotations

from collections.abc import Callable

from admin.console import whom
from admin.console.desk import Desk
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.question import agreed


def removals(desk: Desk, *, yes: bool) -> int:
    """Release removals, and the forgetting of leavers; returns an exit code."""
    brake = desk.console.overview().part("brake")
    gone, left = brake.number("gone"), brake.number("left")
    if not brake.flag("engaged"):
        return _nothing(desk, "The brake holds nothing back.")
    if gone:
        desk.output.line(
            f"{gone} people will lose their pictures in SharePoint, because their photos are gone "
            "from Exchange. Each is checked again before the picture is removed."
        )
        whom.show_first(
            desk.console.users(gone=True),
            gone,
            desk.output,
            also=[("gone since", "missingSince")],
            more=": manage.py users --gone",
        )
    if left:
        desk.output.line(
            f"{left} people who left will be forgotten, and their pictures removed from "
            "SharePoint. The people who left include:"
        )
        whom.show_first(
            desk.console.users(status="left"),
            left,
            desk.output,
            also=[("left since", "leftSince")],
            more=": manage.py users --status left",
        )
    return _release(
        desk, "Release the removals?", desk.console.release_removals, "{} removals are", yes=yes
    )


def repairs(desk: Desk, *, yes: bool) -> int:
    """Release repairs; returns an exit code. Raises Unsound if the app is too old for that."""
    overview = desk.console.overview()
    if "repairBrake" not in overview.raw:
        raise problems.Unsound("The app is too old to report held-back repairs: deploy it again.")
    brake = overview.part("repairBrake")
    if not brake.flag("engaged"):
        return _nothing(desk, "The brake holds no repairs back.")
    differ = brake.number("differ")
    desk.output.line(
        f"{differ} pictures will be rewritten to match Exchange. First make sure that whatever "
        "changed them has stopped: an import, a migration, another sync."
    )
    whom.show_first(
        desk.console.users(differs=True),
        differ,
        desk.output,
        also=[("what differs", "damage")],
        more=": manage.py users --differs",
    )
    return _release(
        desk,
        "Release the repairs?",
        desk.console.release_repairs,
        "The repairs of {} pictures are",
        yes=yes,
    )


def _nothing(desk: Desk, told: str) -> int:
    desk.output.document({"released": 0})
    desk.output.line(told)
    return problems.FINE


def _release(
    desk: Desk, question: str, order: Callable[[], Fields], what: str, *, yes: bool
) -> int:
    if not agreed(question, desk.output, yes=yes):
        desk.output.line("Nothing was changed.")
        return problems.WRONG
    answer = order()
    desk.output.document(answer.raw)
    desk.output.line(f"{what.format(answer.number('released'))} released.")
    return problems.FINE
