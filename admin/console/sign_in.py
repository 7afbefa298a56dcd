"""
A person's token for the console: from the Azure CLI if it is signed in, else by device code.

The token is sent only to the app, whose address is https or on this machine (see `address`). It is
kept only in this process and never shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from admin.console.account import Account
from admin.entra import azure_cli, claims
from admin.terminal.problems import Problem, Refused, Unusable
from shared.settings.clouds import CLOUDS

_ROLES = {"Viewer", "Operator"}
# A token is replaced this long before it expires: a request may take a while.
_EARLIER = 300.0
_NOT_ASSIGNED = (
    "You have no role in the PhotoSync console: ask an admin for Viewer or Operator (manage.py "
    "grant --console --viewer YOU), then sign in again."
)


class SignIn:
    """One person's sign-in. *asks_cli*: whether the user named the registration themselves."""

    def __init__(
        self,
        account: Account,
        *,
        asks_cli: bool,
        ca: str,
        tell: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account = account
        self._az = azure_cli.path() if asks_cli else None
        self._ca = ca
        self._tell = tell
        self._clock = clock
        self._token = ""
        self._ends = 0.0
        self._by_code: Callable[[], str] | None = None

    def token(self) -> str:
        """A token that is valid for some minutes at least. Raises Problem."""
        if self._clock() > self._ends - _EARLIER:
            self._token = self._new()
            self._ends = float(claims.claims(self._token).number("exp"))
        return self._token

    def _new(self) -> str:
        """
        A token for this registration with one of its roles. Raises Problem.

        A server at a wrong address could name another registration than PhotoSync's. A token for
        that one has another audience or no such role, and is not sent.
        """
        token = self._from_cli() or self._from_code()
        told = claims.claims(token)
        if told.text("aud").removeprefix("api://").casefold() != self._account.client_id:
            raise Refused(
                "Entra issued a token for an app other than the console: check --client-id, and "
                "repeat manage.py grant --console."
            )
        roles = told.raw.get("roles")
        if not isinstance(roles, list) or not _ROLES.intersection(map(str, roles)):
            raise Refused(_NOT_ASSIGNED)
        return token

    def _from_cli(self) -> str:
        """Empty if the CLI has no token; a device code may work."""
        if self._az is None:
            return ""
        scope = f"api://{self._account.client_id}/.default"
        try:
            token = azure_cli.token(self._az, ["--scope", scope], self._account.tenant)
        except Problem as problem:
            if "AADSTS50105" in str(problem):
                raise Refused(_NOT_ASSIGNED) from problem
            self._az = None
            self._tell(f"{problem} Signing in with a device code instead:")
            return ""
        return token if claims.is_token(token) else ""

    def _from_code(self) -> str:
        if self._by_code is None:
            self._by_code = self._device_code()
        return self._by_code()

    def _device_code(self) -> Callable[[], str]:
        try:
            # msal is slow to import, and few commands need it.
            from admin.entra.device_code import Client, DeviceCode
        except ModuleNotFoundError as error:
            sentence = f"{error.name} is missing: run pip install -r requirements-manage.txt first."
            raise Unusable(sentence) from error
        account = self._account
        login_url = account.login_url or CLOUDS["global"].login_url
        client = Client(account.client_id, login_url, account.tenant or "organizations", self._ca)
        # An app that requests a token for itself must use its plain id (AADSTS90009).
        code = DeviceCode(client, [f"{account.client_id}/.default"], refusal)
        return lambda: code.token(self._tell)


def refusal(why: str) -> str:
    """The sentence for Entra's reason not to issue a token."""
    if "AADSTS50105" in why:
        return _NOT_ASSIGNED
    if any(number in why for number in ("AADSTS65001", "AADSTS90094", "AADSTS65004")):
        return (
            f"Entra issued no token: {why}. Admin consent is missing: ask an admin to repeat "
            "manage.py grant --console with --client-id."
        )
    if "AADSTS700016" in why:
        return (
            f"Entra issued no token: {why}. Check --client-id and --tenant-id (or "
            "PHOTOSYNC_CLIENT_ID and PHOTOSYNC_TENANT_ID)."
        )
    return f"Entra issued no token: {why}. Repeat the command, or run az login first."
