"""`doctor`: checks the app's settings, rights and environment, and says what to fix."""

from __future__ import annotations

from admin.console import versions
from admin.console.cli import Cli, command
from admin.terminal import problems
from admin.terminal.fields import Fields


@command
def doctor(cli: Cli) -> int:
    """
    Check the app's settings, rights and environment, and show its version.

    Each check says what it found and, if that is wrong, what to do. "not checked" means that
    another problem prevented the check. The exit code is 1 if any check failed.
    """
    answer = cli.console.doctor()
    cli.output.document(answer.raw)
    if told := versions.of(answer):
        cli.output.line(told)
    checks = answer.parts("checks")
    cli.output.table(
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
        cli.output.line("All checks passed.", style="green")
        return problems.FINE
    cli.output.line(_count(checks), style="bold red")
    return problems.WRONG


def _result(check: Fields) -> str:
    if check.flag("ok"):
        return "ok"
    # An older app does not distinguish these two.
    return "not checked" if check.raw.get("looked") is False else "wrong"


def _count(checks: list[Fields]) -> str:
    results = [_result(each) for each in checks]
    wrong, unseen = results.count("wrong"), results.count("not checked")
    told = f"{wrong} of {len(checks)} checks failed"
    return f"{told}, {unseen} not checked." if unseen else f"{told}."
