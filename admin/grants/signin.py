"""The admin's token for Graph: from the Azure CLI, or by a code on another device. Never shown."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msal
import requests

from admin.grants.graph import Refused, untold
from admin.grants.order import Order
from admin.terminal.problems import Unreachable, Unusable
from shared.session import OneHostSession

# Microsoft Graph Command Line Tools, which Connect-MgGraph signs in with (graph.md section 9).
COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"
_AZ_SECONDS = 120
_LOGIN_SECONDS = (10, 60)
_READ = "Application.Read.All"
_WRITE = "Application.ReadWrite.All"
_ASSIGN = "AppRoleAssignment.ReadWrite.All"
_SITES = "Sites.FullControl.All"


@dataclass(frozen=True)
class Admin:
    """Who signed in, as far as the token tells, and the token."""

    token: str = field(repr=False)
    name: str = ""
    tenant: str = ""


def sign_in(order: Order, tell: Callable[[str], None]) -> Admin:
    """A token for Graph; *tell* shows the code to type elsewhere. Raises Problem."""
    token = _by_code(order, tell) if order.device_code else _by_cli(order)
    admin = _admin(token)
    wanted = order.tenant.casefold()
    # A name of the tenant, such as contoso.onmicrosoft.com, cannot be compared.
    if "-" in wanted and "." not in wanted and admin.tenant.casefold() not in {"", wanted}:
        raise Unusable(
            f"You are signed in to the tenant {admin.tenant} and not to {order.tenant}: "
            f"az login --tenant {order.tenant}, or check TENANT_ID."
        )
    return admin


def scopes(order: Order) -> list[str]:
    """The least that a sign-in of our own has to ask for (facts: graph.md section 9)."""
    asked = [_SITES] if order.my_sites else []
    if order.only_looks:
        return [_READ, *asked]
    registers = order.new_app or (order.app and not order.revoke)
    return [_ASSIGN, _WRITE if registers else _READ, *asked]


def _by_cli(order: Order) -> str:
    az = shutil.which("az")
    if az is None:
        raise Unusable(
            "There is no Azure CLI here: install it and az login, or give --device-code."
        )
    command = [az, "account", "get-access-token", "--resource", order.graph_url, "-o", "json"]
    command += ["--tenant", order.tenant] if order.tenant else []
    token = _ask(command)
    # Documented for a next version of the CLI: the token is shown on demand only.
    return token if _is_token(token) else _ask([*command, "--plaintext"])


def _ask(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            # On Windows it writes in the code page of the terminal.
            encoding="utf-8",
            errors="replace",
            timeout=_AZ_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unusable("The Azure CLI does not answer: az login, or give --device-code.") from error
    if done.returncode:
        raise Refused(f"The Azure CLI gives no token: {_first_line(done.stderr)}")
    try:
        return str(json.loads(done.stdout)["accessToken"])
    except (ValueError, TypeError, KeyError):
        return ""


def _first_line(text: str) -> str:
    """What the CLI says first, which is never a token."""
    lines = [line.removeprefix("ERROR: ").strip() for line in text.splitlines()]
    told = next((line for line in lines if line and not line.startswith("WARNING")), "no reason")
    return f"{told[:300].rstrip('.')}. Run az login (az cloud set first, for a national cloud)."


def _is_token(text: str) -> bool:
    """Whether *text* can be one, and not a word in its place."""
    return len(text) > 100 and text.isascii() and not any(sign.isspace() for sign in text)


def _by_code(order: Order, tell: Callable[[str], None]) -> str:
    try:
        app = msal.PublicClientApplication(
            order.device_code_app or COMMAND_LINE_TOOLS,
            authority=f"{order.login_url}/{order.tenant or 'organizations'}",
            # The authority comes from our own table or the admin: nobody else vouches for it.
            instance_discovery=False,
            http_client=_Session(order.ca),
        )
        flow = app.initiate_device_flow([f"{order.graph_url}/{scope}" for scope in scopes(order)])
        if "user_code" not in flow:
            raise Refused(_refusal(flow))
        tell(str(flow["message"]))
        answer = app.acquire_token_by_device_flow(flow)
    except requests.RequestException as error:
        raise untold(error, order.login_url.removeprefix("https://")) from error
    except ValueError as error:
        # msal says so when there is no such tenant, or what answers is not Entra.
        raise Unreachable("Entra does not know this tenant: check --tenant and --cloud.") from error
    token = answer.get("access_token")
    if not isinstance(token, str):
        raise Refused(_refusal(answer))
    return token


def _refusal(answer: dict[str, Any]) -> str:
    if answer.get("error") == "authorization_pending":
        return "Nobody signed in with the code in time: repeat the command."
    told = str(answer.get("error_description") or answer.get("error") or "no reason is given")
    why = told.partition(" Trace ID:")[0].splitlines()[0][:300].rstrip(".")
    if "AADSTS700016" in told:
        return f"Entra gives no token: {why}. Name another public client with --device-code-app."
    return f"Entra gives no token: {why}. Repeat the command, or sign in with the Azure CLI."


def _admin(token: str) -> Admin:
    """Read for display only: whether a token is good, Graph decides."""
    if not _is_token(token):
        raise Refused("The Azure CLI gives no token: update it, or give --device-code.")
    try:
        payload = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        name = told.get("upn") or told.get("unique_name") or told.get("app_displayname") or ""
        return Admin(token, str(name), str(told.get("tid") or ""))
    except (ValueError, IndexError, AttributeError, RecursionError):
        return Admin(token)


class _Session(OneHostSession):
    """What msal calls Entra with: time-outs, and the private CA of the command line."""

    def __init__(self, ca: str) -> None:
        super().__init__()
        self._ca = ca

    def request(self, *args: Any, **more: Any) -> requests.Response:
        more["timeout"] = _LOGIN_SECONDS
        if self._ca:
            more["verify"] = self._ca
        response = super().request(*args, **more)
        # msal does not expect that a redirect is not followed.
        if 300 <= response.status_code < 400:
            raise requests.RequestException(f"Entra answered {response.status_code}.")
        return response
