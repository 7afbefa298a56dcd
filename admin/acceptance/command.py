"""
`acceptance USER`: what the user's own tenant answers to our open questions.

What this module imports, every command of manage.py pays for: the rest comes when it is asked for.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Any

import click

from admin.console.account import Account
from admin.console.address import Address
from admin.console.console import Console
from admin.terminal.options import Choice, setting, shared, waits
from admin.terminal.output import Output
from admin.terminal.problems import Stopped, Unusable
from shared.settings.clouds import CLOUDS


@click.command()
@click.argument("user")
@click.option(
    "--unlicensed",
    default="",
    metavar="USER",
    help="A second test user, without a licence: some questions are about these.",
)
@click.option(
    "--local", is_flag=True, help="Without a deployed app: Graph and SharePoint from here alone."
)
@click.option(
    "--settings",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Settings with a certificate; with --local local.settings.json if it is there.",
)
@setting("--app", variable="CLIENT_ID", metavar="CLIENT_ID", help="The app registration.")
@setting(
    "--certificate",
    variable="CLIENT_CERTIFICATE",
    metavar="FILE",
    help="Its certificate with the private key.",
)
@setting("--tenant", variable="TENANT_ID", metavar="ID", help="The tenant's id.")
@setting(
    "--sharepoint-tenant",
    variable="SHAREPOINT_TENANT",
    metavar="NAME",
    help="NAME of NAME.sharepoint.com.",
)
@setting(
    "--sharepoint-geos",
    variable="SHAREPOINT_GEOS",
    metavar="NAMES",
    help="What the hosts of satellite geographies begin with.",
)
@setting(
    "--cloud",
    variable="M365_CLOUD",
    type=click.Choice(["", *CLOUDS]),
    metavar=f"[{'|'.join(CLOUDS)}]",
    help="The national cloud.",
)
@setting("--login-url", variable="LOGIN_URL", hidden=True)
@setting("--graph-url", variable="GRAPH_URL", hidden=True)
@setting("--sharepoint-my-url", variable="SHAREPOINT_MY_URL", hidden=True)
@setting("--sharepoint-admin-url", variable="SHAREPOINT_ADMIN_URL", hidden=True)
@click.option("--read-only", is_flag=True, help="Ask only what needs nothing to be written.")
@click.option("--hands-off", is_flag=True, help="Leave out what a person has to do by hand.")
@click.option("--yes", is_flag=True, help="Do not ask before anything is written.")
@click.option(
    "--output",
    type=click.Path(),
    metavar="FILE",
    default="acceptance.json",
    show_default=True,
    help="Where the results go, without names or ids.",
)
@waits(120, "How long a step waits for something to show.", least=0.1)
@shared(before_command=False)
@click.pass_context
def acceptance(context: click.Context, /, **given: Any) -> int:
    """
    Ask this tenant the open questions of docs/facts, with USER as the test user.

    USER is somebody with a photo, whose picture may be another one for some minutes. First comes
    what only reads. Before anything is written the command asks, and at its end, also after Ctrl-C,
    it puts everything back, or says what is left to be put back. In some steps it asks for
    something to be done by hand. A table and a file without names or ids, fit for a bug report, say
    what was assumed and what was seen.

    The deployed app at --url is asked over its console's API; with a certificate (--settings, or
    --app and --certificate) Graph and SharePoint are, too; with --local these alone. With a
    certificate USER is a UPN or an object id.

    The exit code is 1 if anything differs from what was assumed, if nobody is called USER or there
    is no photo, or if the answer is no; and 4 if something could not be put back. What could not be
    asked is no failure.
    """
    try:
        return _run(context.ensure_object(Choice), given)
    except (KeyboardInterrupt, click.Abort) as error:
        raise Stopped("Stopped; what is not named above as left was put back.") from error


def _run(choice: Choice, given: dict[str, Any]) -> int:
    try:
        from admin.acceptance import session
        from admin.acceptance.app import App
        from admin.acceptance.order import Order
        from admin.acceptance.person import AtTheTerminal
    except ModuleNotFoundError as error:
        sentence = f"{error.name} is missing: run pip install -r requirements-manage.txt first."
        raise Unusable(sentence) from error
    output = Output(sys.stdout, as_json=choice.as_json)
    # Whoever names the tenant for the other commands means it here, too.
    given["tenant"] = given["tenant"] or choice.tenant_id
    order = Order.of(given)
    with ExitStack() as opened:
        app = None
        if not order.is_local:
            address = Address.check(choice.url, choice.key, choice.ca)
            login = {"login_url": given["login_url"], "cloud": given["cloud"]}
            console = _console(choice, address, output, **login)
            app = App(opened.enter_context(console), address)
        return session.run(order, app, AtTheTerminal(output, by_hand=order.by_hand), output)


def _console(
    choice: Choice, address: Address, output: Output, *, login_url: str, cloud: str
) -> Console:
    account = Account.check(
        choice.client_id, choice.tenant_id, login_url=login_url, cloud=cloud or "global"
    )
    return Console(address, account=account, tell=output.complain)
