"""`renew`: renews the subscription now."""

from __future__ import annotations

from admin.console.cli import Cli, command
from admin.terminal import problems


@command
def renew(cli: Cli) -> int:
    """
    Renew the subscription now.

    Without this command, it is checked twice a day by default. If Graph has no subscription, one is
    created; a wrong one is corrected.
    """
    cli.output.document(cli.console.renew().raw)
    cli.output.line("Renewal is queued. To see whether the subscription is live: manage.py doctor")
    return problems.FINE
