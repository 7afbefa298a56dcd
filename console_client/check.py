"""`check USER`: do both sides agree?"""

from __future__ import annotations

import click

from console_client import person, problems
from console_client.options import Desk, command


@command
@click.argument("user")
def check(desk: Desk, user: str) -> int:
    """
    Compare both sides of USER now.

    The exit code is 0 if they agree and 1 if they do not, or if nobody is called that.
    """
    answer = desk.console.user(user)
    desk.output.document(answer.raw)
    person.show_sides(answer, desk.output)
    return problems.FINE if answer.flag("agree") else problems.WRONG
