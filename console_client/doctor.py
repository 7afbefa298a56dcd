"""`doctor`: what is wrong with the app's settings, rights and surroundings, and what to do."""

from __future__ import annotations

from console_client import problems
from console_client.options import Desk, command


@command
def doctor(desk: Desk) -> int:
    """
    Let the app check its settings, rights and surroundings.

    Each check says what it found and, if that is wrong, what to do. The exit code is 1 if any
    of them is wrong.
    """
    answer = desk.console.doctor()
    desk.output.document(answer.raw)
    checks = answer.parts("checks")
    desk.output.table(
        ["check", "result", "found", "what to do"],
        [
            [
                one.text("name"),
                "ok" if one.flag("ok") else "wrong",
                one.text("detail"),
                one.text("action"),
            ]
            for one in checks
        ],
    )
    wrong = sum(not one.flag("ok") for one in checks)
    if answer.flag("ok"):
        desk.output.line("Everything is as it should be.", style="green")
        return problems.FINE
    desk.output.line(f"{wrong} of {len(checks)} checks are wrong.", style="bold red")
    return problems.WRONG
