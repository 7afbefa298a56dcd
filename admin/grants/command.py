"""
`grant`: gives PhotoSync's identity the rights it needs, or checks them.

Every command of manage.py loads this module, so it imports little: the rest is imported when a
grant runs.
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
    help="A managed identity, by client id or principal id.",
)
@click.option("--app", default="", metavar="CLIENT_ID", help="An existing app registration.")
@click.option(
    "--new-app",
    default="",
    metavar="NAME",
    help="Register a new app with this name and a certificate.",
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="The app's certificate; created if the file does not exist.",
)
@click.option(
    "--console",
    is_flag=True,
    help="Set up the app registration for signing in to the console, and who may sign in.",
)
@click.option(
    "--viewer",
    multiple=True,
    metavar="NAME",
    help="A person or group that may view: a UPN, mail address, object id or group name.",
)
@click.option(
    "--operator", multiple=True, metavar="NAME", help="A person or group that may also give orders."
)
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
    help="Host prefixes of satellite geographies, such as contosoeur,fabrikamdach.",
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
    help="Also grant GroupMember.Read.All, for SYNC_GROUP_ID and EXCLUDED_GROUP_ID.",
)
@click.option(
    "--full-control",
    is_flag=True,
    help="Grant Sites.FullControl.All instead of Sites.Selected and write on each My Site root.",
)
@click.option(
    "--device-code",
    is_flag=True,
    help="Sign in with a code on another device instead of the Azure CLI.",
)
@click.option(
    "--device-code-app",
    default="",
    metavar="CLIENT_ID",
    help="Public client to sign in with instead of Microsoft Graph Command Line Tools.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--check", is_flag=True, help="Check whether exactly the needed rights are granted.")
@click.option("--revoke", is_flag=True, help="Revoke all rights that grant can give.")
@click.option("--yes", is_flag=True, help="Make the changes without asking.")
@waits(300, "How long to wait for the directory to replicate new objects.", least=0)
@shared(before_command=False)
@click.pass_context
def grant(context: click.Context, /, **given: Any) -> int:
    """
    Give PhotoSync's identity its rights, or people access to the console.

    It shows a plan, asks, and adds only what is missing, so it can be repeated. It signs in with
    the Azure CLI (az login). The Azure CLI cannot grant rights on a site: for these use
    --device-code, or choose --full-control. You need Privileged Role Administrator for rights in
    Microsoft Graph and SharePoint Administrator for those on a site; Global Administrator has both.

    With --console it creates or corrects the registration "PhotoSync console" for the app at --url,
    consents for everybody, and assigns the roles Viewer and Operator; the last lines say what to
    set. You need Application or Cloud Application Administrator. With --revoke it removes the roles
    of the people named, or of everybody. Roles for groups need Entra ID P1; members of nested
    groups get no role.

    The exit code is 1 if --check finds anything missing or more granted than needed, and 3 if you
    lack a role for a step; the other steps are still carried out.
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
        # The tenant given for the other commands applies here, too.
        given["tenant"] = given["tenant"] or choice.tenant_id
        order = Order.of(given, ca=choice.ca, url=choice.url, client_id=choice.client_id)
        return session.run(order, output)
    except (KeyboardInterrupt, click.Abort) as error:
        raise Stopped(
            "Stopped. What was granted stays granted; repeat the command to continue."
        ) from error
