"""
`acceptance USER`: tests the project's open questions about Microsoft 365 in your tenant.

Every command of manage.py loads this module, so it imports little: the rest is imported on use.
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
    help="A second test user, without a licence, for the questions about such users.",
)
@click.option(
    "--local", is_flag=True, help="Test Graph and SharePoint from here, without a deployed app."
)
@click.option(
    "--settings",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Settings with a certificate; with --local the default is local.settings.json.",
)
@setting("--app", variable="CLIENT_ID", metavar="CLIENT_ID", help="The app registration.")
@setting(
    "--certificate",
    variable="CLIENT_CERTIFICATE",
    metavar="FILE",
    help="Certificate of the app registration, with the private key.",
)
@setting("--tenant", variable="TENANT_ID", metavar="ID", help="The tenant's id.")
@setting(
    "--sharepoint-tenant",
    variable="SHAREPOINT_TENANT",
    metavar="NAME",
    help="The NAME in NAME.sharepoint.com.",
)
@setting(
    "--sharepoint-geos",
    variable="SHAREPOINT_GEOS",
    metavar="NAMES",
    help="Host prefixes of satellite geographies.",
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
@click.option("--read-only", is_flag=True, help="Run only the steps that write nothing.")
@click.option("--hands-off", is_flag=True, help="Skip the steps that a person must do by hand.")
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option(
    "--output",
    type=click.Path(),
    metavar="FILE",
    default="acceptance.json",
    show_default=True,
    help="File for the results, without names or ids.",
)
@waits(120, "How long a step waits for a change to appear.", least=0.1)
@shared(before_command=False)
@click.pass_context
def acceptance(context: click.Context, /, **given: Any) -> int:
    """
    Test the open questions of docs/facts in this tenant.

    USER is a test user with a photo, who may have another picture for some minutes. The steps that
    only read come first. The command asks before it writes. At the end, even after Ctrl-C, it
    restores everything, or says what is left to restore. Some steps ask you to do something by
    hand. A table and a file without names or ids, suitable for a bug report, show what was assumed
    and what was seen.

    The command tests the deployed app at --url through its console API. With a certificate
    (--settings, or --app and --certificate) it also tests Graph and SharePoint directly; with
    --local only these. With a certificate, USER must be a UPN or an object id.

    The exit code is 1 if anything differs from what was assumed, if USER does not exist or has no
    photo, or if the answer is no; and 4 if something could not be restored. A step that could not
    be run is not a failure.
    """
    try:
        return _run(context.ensure_object(Choice), given)
    except (KeyboardInterrupt, click.Abort) as error:
        raise Stopped("Stopped. Everything was restored except what is listed above.") from error


def _run(choice: Choice, given: dict[str, Any]) -> int:
    try:
        from admin.acceptance import session
        from admin.acceptance.app import App
        from admin.acceptance.order import Order
        from admin.acceptance.person import TerminalPerson
    except ModuleNotFoundError as error:
        sentence = f"{error.name} is missing: run pip install -r requirements-manage.txt first."
        raise Unusable(sentence) from error
    output = Output(sys.stdout, as_json=choice.as_json)
    # The tenant given for the other commands applies here, too.
    given["tenant"] = given["tenant"] or choice.tenant_id
    order = Order.of(given)
    with ExitStack() as opened:
        app = None
        if not order.is_local:
            address = Address.check(choice.url, choice.key, choice.ca)
            login = {"login_url": given["login_url"], "cloud": given["cloud"]}
            console = _console(choice, address, output, **login)
            app = App(opened.enter_context(console), address)
        return session.run(order, app, TerminalPerson(output, by_hand=order.by_hand), output)


def _console(
    choice: Choice, address: Address, output: Output, *, login_url: str, cloud: str
) -> Console:
    account = Account.check(
        choice.client_id, choice.tenant_id, login_url=login_url, cloud=cloud or "global"
    )
    return Console(address, account=account, tell=output.error)
