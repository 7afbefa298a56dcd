"""`doctor`: what is wrong with the app's settings, rights and surroundings, and what to do."""

from __future__ import annotations

from admin.console import versions
from admin.console.desk import Desk, command
from admin.terminal import problems
from admin.terminal.fields import Fields


@command
def doctor(desk: Desk) -> int:
    """
    Let the app check its settings, rights and surroundings, and tell its version.

    Each check says what it found and, if that is wrong, what to do. One that another keeps from
    being made is "not checked". The exit code is 1 if any of them is wrong.
    """
    answer = desk.console.doctor()
    desk.output.document(answer.raw)
    if told := versions.of(answer):
        desk.output.line(told)
    checks = answer.parts("checks")
    desk.output.table(
        ["check", "result", "found", "what to do"],
        [
            [
                one.text("name"),
                _result(one),
                one.text("detail"),
                one.text("action"),
            ]
            for one in checks
        ],
    )
    if answer.flag("ok"):
        desk.output.line("Everything is as it should be.", style="green")
        return problems.FINE
    desk.output.line(_count(checks), style="bold red")
    return problems.WRONG


def _result(check: Fields) -> str:
    if check.flag("ok"):
        return "ok"
    # An older app does not tell these two apart.
    return "not checked" if check.raw.get("looked") is False else "wrong"


def _count(checks: list[Fields]) -> str:
    results = [_result(each) for each in checks]
    wrong, unseen = results.count("wrong"), results.count("not checked")
    told = f"{wrong} of {len(checks)} checks {'is' if wrong == 1 else 'are'} wrong"
    return f"{told}, {unseen} could not be made." if unseen else f"{told}."
