"""`renew`: have the subscription looked after now."""

from __future__ import annotations

from admin.console.desk import Desk, command
from admin.terminal import problems


@command
def renew(desk: Desk) -> int:
    """
    Have the subscription looked after now and not within half a day.

    It is made if Graph has none, and renewed or corrected if it must be.
    """
    desk.output.document(desk.console.renew().raw)
    desk.output.line("It is queued; manage.py doctor asks Graph whether the subscription is alive.")
    return problems.FINE
