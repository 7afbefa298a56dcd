"""`check USER`: do both sides agree?"""

from __future__ import annotations

import click

from admin.console import person
from admin.console.desk import Desk, command


@command
@click.argument("user")
def check(desk: Desk, user: str) -> int:
    """
    Compare both sides of USER now.

    The exit code is 0 if they agree, or if PhotoSync leaves this user alone by design, such as a
    guest; 1 if they do not or nobody is called that; and 4 if they cannot be compared now.
    """
    answer = desk.console.user(user)
    desk.output.document(answer.raw)
    person.show_sides(answer, desk.output)
    return person.comparison(answer)
