"""The admin's token for Graph: from the Azure CLI, or by a code on another device. Never shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from admin.entra import azure_cli, claims
from admin.entra.device_code import Client, DeviceCode
from admin.grants.order import Order
from admin.terminal.problems import Refused, Unusable

# Microsoft Graph Command Line Tools, which Connect-MgGraph signs in with (graph.md section 9).
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
_READ = "Application.Read.All"
_WRITE = "Application.ReadWrite.All"
_ASSIGN = "AppRoleAssignment.ReadWrite.All"
_SITES = "Sites.FullControl.All"
_CONSENT = "DelegatedPermissionGrant.ReadWrite.All"
# To find people and groups by name (facts: functions.md, Sign-in: what infra and grant set).
_PEOPLE = ("User.ReadBasic.All", "GroupMember.Read.All")


@dataclass(frozen=True)
class Admin:
    """Who signed in, according to the token, and the token."""

    token: str = field(repr=False)
    name: str = ""
    tenant: str = ""


def sign_in(order: Order, tell: Callable[[str], None]) -> Admin:
    """A token for Graph; *tell* shows the device code. Raises Problem."""
    admin = _admin(_by_code(order, tell) if order.device_code else _by_cli(order))
    wanted = order.tenant.casefold()
    # A tenant's domain, such as contoso.onmicrosoft.com, cannot be compared with its id.
    if "-" in wanted and "." not in wanted and admin.tenant.casefold() not in {"", wanted}:
        raise Unusable(
            f"You are signed in to the tenant {admin.tenant}, not to {order.tenant}: run "
            f"az login --tenant {order.tenant}, or check TENANT_ID."
        )
    return admin


def scopes(order: Order) -> list[str]:
    """The fewest scopes that our own sign-in needs (facts: graph.md section 9)."""
    if order.console:
        people = list(_PEOPLE) if order.console.names else []
        return [_READ, *people] if order.is_read_only else [_ASSIGN, _CONSENT, _WRITE, *people]
    asked = [_SITES] if order.my_sites else []
    if order.is_read_only:
        return [_READ, *asked]
    registers = order.new_app or (order.app and not order.revoke)
    return [_ASSIGN, _WRITE if registers else _READ, *asked]


def _by_cli(order: Order) -> str:
    az = azure_cli.path()
    if az is None:
        raise Unusable(
            "The Azure CLI is not installed: install it and run az login, or give --device-code."
        )
    return azure_cli.token(az, ["--resource", order.graph_url], order.tenant)


def _by_code(order: Order, tell: Callable[[str], None]) -> str:
    client = Client(
        order.device_code_app or COMMAND_LINE_TOOLS,
        order.login_url,
        order.tenant or "organizations",
        order.ca,
    )
    wanted = [f"{order.graph_url}/{scope}" for scope in scopes(order)]
    return DeviceCode(client, wanted, _refusal).token(tell)


def _refusal(why: str) -> str:
    if "AADSTS700016" in why:
        return f"Entra issued no token: {why}. Name another public client with --device-code-app."
    return f"Entra issued no token: {why}. Repeat the command, or sign in with the Azure CLI."


def _admin(token: str) -> Admin:
    """Read for display only: Graph decides whether the token is valid."""
    if not claims.is_token(token):
        raise Refused("The Azure CLI returned no token: update it, or give --device-code.")
    told = claims.claims(token)
    names = (told.text(kind) for kind in ("upn", "unique_name", "app_displayname"))
    return Admin(token, next(filter(None, names), ""), told.text("tid"))
