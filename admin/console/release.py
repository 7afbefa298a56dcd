"""Releases what a brake holds back, once it has named how many people that is about, and who."""

from __future__ import annotations

from collections.abc import Callable

from admin.console import whom
from admin.console.desk import Desk
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.question import agreed


def removals(desk: Desk, *, yes: bool) -> int:
    """Let removals go ahead, and the forgetting of who left; an exit code."""
    brake = desk.console.overview().part("brake")
    gone, left = brake.number("gone"), brake.number("left")
    if not brake.flag("engaged"):
        return _nothing(desk, "The brake holds nothing back.")
    if gone:
        desk.output.line(
            f"{gone} people lose their pictures in SharePoint, because Exchange has no photo of "
            "them any more. Each is looked at once more before that."
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
            f"{left} people who left are forgotten, and their pictures are taken out of "
            "SharePoint. Among those who left are:"
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
    """Let repairs go ahead; an exit code. Raises Unsound where the app tells nothing of them."""
    overview = desk.console.overview()
    if "repairBrake" not in overview.raw:
        raise problems.Unsound("The app is too old to tell what it holds back: deploy it anew.")
    brake = overview.part("repairBrake")
    if not brake.flag("engaged"):
        return _nothing(desk, "The brake holds no repair back.")
    differ = brake.number("differ")
    desk.output.line(
        f"{differ} pictures are written again as Exchange has them. Make sure first that whatever "
        "has changed them has ended: an import, a migration, another sync."
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
