"""
`grant`: gives PhotoSync's identity what it needs, and tells whether it has it.

What this module imports, every command of manage.py pays for: what a grant itself needs is
imported when one is asked for.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from admin.terminal.options import Choice, setting, shared, waits
from admin.terminal.output import Output
from admin.terminal.problems import Stopped, Unusable
from shared.settings.clouds import CLOUDS


@click.command()
@click.option(
    "--identity",
    default="",
    metavar="ID",
    help="A managed identity: its client id or principal id.",
)
@click.option("--app", default="", metavar="CLIENT_ID", help="An app registration that is there.")
@click.option(
    "--new-app",
    default="",
    metavar="NAME",
    help="Register an app of this name, with a new certificate.",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The certificate of the app, made if there is no such file.",
)
@click.option(
    "--console",
    is_flag=True,
    help="The app registration by which people sign in to the console, and who may.",
)
@click.option(
    "--viewer",
    multiple=True,
    metavar="NAME",
    help="A person or group that may look: a UPN, mail address, object id or group's name.",
)
@click.option("--operator", multiple=True, metavar="NAME", help="One that may give orders, too.")
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
    help="What the hosts of satellite geographies begin with: contosoeur,fabrikamdach.",
)
@setting("--tenant", variable="TENANT_ID", metavar="ID", help="The tenant to sign in to.")
@setting(
    "--cloud",
    variable="M365_CLOUD",
    type=click.Choice(list(CLOUDS)),
    default="global",
    show_default=True,
    help="The national cloud.",
)
@setting("--login-url", variable="LOGIN_URL", hidden=True)
@setting("--graph-url", variable="GRAPH_URL", hidden=True)
@setting("--sharepoint-my-url", variable="SHAREPOINT_MY_URL", hidden=True)
@click.option(
    *("--groups", "--sync-group", "groups"),
    is_flag=True,
    help="Also what SYNC_GROUP_ID and EXCLUDED_GROUP_ID need: GroupMember.Read.All.",
)
@click.option(
    "--full-control",
    is_flag=True,
    help="Sites.FullControl.All in place of Sites.Selected with write on each My Site root.",
)
@click.option(
    "--device-code",
    is_flag=True,
    help="Sign in with a code on another device, not with the Azure CLI.",
)
@click.option(
    "--device-code-app",
    default="",
    metavar="CLIENT_ID",
    help="Sign in to this public client, not to Microsoft Graph Command Line Tools.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and do nothing.")
@click.option("--check", is_flag=True, help="Tell whether exactly what is needed is granted.")
@click.option(
    "--revoke", is_flag=True, help="Take away what grant gives, whichever options it had."
)
@click.option("--yes", is_flag=True, help="Do not ask before anything is changed.")
@waits(300, "How long to wait for the directory to know what is new.", least=0)
@shared(before_command=False)
@click.pass_context
def grant(context: click.Context, /, **given: Any) -> int:
    """
    Give PhotoSync's identity the rights it needs, or people the console.

    It shows a plan, asks, and does only what is missing; it can be repeated. The token is that
    of the Azure CLI (az login). The Azure CLI cannot give rights on a site: for these,
    --device-code, or --full-control. Rights of Microsoft Graph take Privileged Role
    Administrator, those on the site SharePoint Administrator; Global Administrator has both.

    With --console it makes or mends the registration "PhotoSync console" of the app at --url, asks
    nobody for consent later, and assigns its roles Viewer and Operator; the last lines say what to
    set. That takes Application or Cloud Application Administrator. --revoke takes the roles away,
    of those named or of everybody. Roles for groups take Entra ID P1, and groups within groups do
    not count.

    The exit code is 1 with --check if anything is missing, or granted beyond the need, and 3
    if you may not do something; what else was granted stays granted.
    """
    try:
        from admin.grants import session
        from admin.grants.order import Order
    except ModuleNotFoundError as error:
        sentence = f"{error.name} is missing: run pip install -r requirements-manage.txt first."
        raise Unusable(sentence) from error
    choice = context.ensure_object(Choice)
    output = Output(sys.stdout, as_json=choice.as_json)
    try:
        # Whoever names the tenant for the other commands means it here, too.
        given["tenant"] = given["tenant"] or choice.tenant_id
        order = Order.of(given, ca=choice.ca, url=choice.url, client_id=choice.client_id)
        return session.run(order, output)
    except (KeyboardInterrupt, click.Abort) as error:
        raise Stopped(
            "Stopped; what was granted stays granted, and the same command goes on from there."
        ) from error
