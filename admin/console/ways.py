"""
How to authenticate to the app: by key or by sign-in. Only the app knows, so we try.

    key                                 /api/console with the key
      the app requires a sign-in        /api/keyed with the key
        it requires one there, too,
        or there is no such route       keys are switched off: a sentence
    no key, but a client id             /api/console with a token
    neither                             /api/console with nothing
      the app requires a sign-in        /api/console with a token for the registration it names

A request that was denied has changed nothing, so it is sent again the next way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

import requests

from admin.console import challenge
from admin.console.account import Account
from admin.console.address import Address
from admin.console.challenge import Challenge
from admin.console.signing_in import SignIn
from admin.terminal.problems import Problem, Refused, Unreachable, Unusable

_CONSOLE, _KEYED = "api/console", "api/keyed"


class Way(NamedTuple):
    """The path of the API, and the headers that authenticate."""

    path: str
    headers: Mapping[str, str]


class _By(Enum):
    KEY = auto()
    KEY_BESIDES = auto()  # the routes for keys when sign-in is on
    TOKEN = auto()
    NOTHING = auto()


class Ways:
    """The current way to authenticate, and the next one if the app denies it."""

    def __init__(self, address: Address, account: Account, tell: Callable[[str], None]) -> None:
        self._address = address
        self._account = account
        self._tell = tell
        self._sign_in: SignIn | None = None
        self._is_sure = False  # that sign-in is on: a 403 may mean anything
        if address.key:
            self._by = _By.KEY
        elif account.client_id:
            self._by, self._sign_in = _By.TOKEN, self._signed_in(account, asks_cli=True)
        else:
            self._by = _By.NOTHING

    def way(self) -> Way:
        """The way to use. Raises Problem if the sign-in fails."""
        if self._sign_in:
            return Way(_CONSOLE, {"Authorization": f"Bearer {self._sign_in.token()}"})
        path = _KEYED if self._by is _By.KEY_BESIDES else _CONSOLE
        key = self._address.key
        return Way(path, {"x-functions-key": key} if key else {})

    def goes_on(self, answer: requests.Response, told: str) -> bool:
        """
        Whether to try another way after *answer*, in which the app *told* a sentence.

        Raises Problem if there is no other way.
        """
        asked = challenge.read(answer, self._address.host, self._account.login_url)
        status = answer.status_code
        match self._by:
            # PhotoSync's own 403 has a sentence; one without may come from the platform.
            case _By.KEY if asked or (status == 401 and told) or (status == 403 and not told):
                self._by = _By.KEY_BESIDES
                self._is_sure = status != 403
                return True
            case _By.NOTHING if asked:
                self._begin(asked)
                return True
        if problem := self._no_way(status, told, is_asked=asked is not None):
            raise problem
        return False

    def _no_way(self, status: int, told: str, *, is_asked: bool) -> Problem | None:
        """The Problem for a denied request; None if the answer is about something else."""
        host = self._address.host
        match self._by:
            # If keys are off, App Service redirects this path to the login, too.
            case _By.KEY_BESIDES if is_asked or (status in {403, 404} and not told):
                why = (
                    "requires a sign-in and accepts no keys"
                    if is_asked or self._is_sure
                    else "denied access: check its access restrictions. If it requires a sign-in"
                )
                return Refused(
                    f"{host} {why}: leave PHOTOSYNC_KEY out, and set PHOTOSYNC_CLIENT_ID (or give "
                    "--client-id)."
                )
            case _By.KEY | _By.KEY_BESIDES if status == 401:
                return Unreachable(f"{host} does not accept the key: check PHOTOSYNC_KEY.")
            case _By.TOKEN if is_asked or status == 401:
                return Refused(
                    told
                    or f"{host} does not accept your sign-in: check --tenant-id, and that "
                    "--client-id is its CONSOLE_SIGN_IN; if that is empty, set PHOTOSYNC_KEY."
                )
            case _By.TOKEN if status == 403 and not told:
                return Refused(
                    f"{host} denied your sign-in before PhotoSync saw it: check its access "
                    "restrictions, and the clients that its App Service authentication allows."
                )
            case _By.NOTHING if status in {401, 403} and not told:
                return Unusable(
                    "Set PHOTOSYNC_KEY to a function key of the app, or give --key; if the app "
                    "requires a sign-in, set PHOTOSYNC_CLIENT_ID instead."
                )
        return None

    def _begin(self, asked: Challenge) -> None:
        host = self._address.host
        if not asked.client_id:
            raise Unusable(
                f"{host} requires a sign-in, but does not name its app registration: set "
                "PHOTOSYNC_CLIENT_ID (azd env get-value PHOTOSYNC_CLIENT_ID)."
            )
        account = replace(
            self._account,
            client_id=asked.client_id,
            tenant=self._account.tenant or asked.tenant,
            login_url=self._account.login_url or asked.login_url,
        )
        self._tell(
            f"{host} requires a sign-in to the app registration {asked.client_id}. If that is "
            "right, set PHOTOSYNC_CLIENT_ID to it; then the Azure CLI's sign-in is enough."
        )
        # A foreign site could name any registration, and the CLI would sign in without asking.
        self._by, self._sign_in = _By.TOKEN, self._signed_in(account, asks_cli=False)

    def _signed_in(self, account: Account, *, asks_cli: bool) -> SignIn:
        return SignIn(account, asks_cli=asks_cli, ca=self._address.ca, tell=self._tell)
