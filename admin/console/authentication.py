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
from admin.console.sign_in import SignIn
from admin.terminal.problems import Problem, Refused, Unreachable, Unusable

_CONSOLE, _KEYED = "api/console", "api/keyed"


class Authentication(NamedTuple):
    """The path of the API, and the headers that authenticate."""

    path: str
    headers: Mapping[str, str]


class _Method(Enum):
    KEY = auto()
    KEYED_ROUTES = auto()  # the routes for keys when sign-in is on
    TOKEN = auto()
    NOTHING = auto()


class AuthenticationMethods:
    """The current way to authenticate, and the next one if the app denies it."""

    def __init__(self, address: Address, account: Account, tell: Callable[[str], None]) -> None:
        self._address = address
        self._account = account
        self._tell = tell
        self._sign_in: SignIn | None = None
        self._is_sure = False  # that sign-in is on: a 403 may mean anything
        if address.key:
            self._method = _Method.KEY
        elif account.client_id:
            self._method, self._sign_in = _Method.TOKEN, self._signed_in(account, asks_cli=True)
        else:
            self._method = _Method.NOTHING

    def current(self) -> Authentication:
        """The way to use. Raises Problem if the sign-in fails."""
        if self._sign_in:
            return Authentication(_CONSOLE, {"Authorization": f"Bearer {self._sign_in.token()}"})
        path = _KEYED if self._method is _Method.KEYED_ROUTES else _CONSOLE
        key = self._address.key
        return Authentication(path, {"x-functions-key": key} if key else {})

    def try_next(self, answer: requests.Response, sentence: str) -> bool:
        """
        Whether to try another way after *answer*, in which the app sent *sentence*.

        Raises Problem if there is no other way.
        """
        asked = challenge.read(answer, self._address.host, self._account.login_url)
        status = answer.status_code
        match self._method:
            # PhotoSync's own 403 has a sentence; one without may come from the platform.
            case _Method.KEY if (
                asked or (status == 401 and sentence) or (status == 403 and not sentence)
            ):
                self._method = _Method.KEYED_ROUTES
                self._is_sure = status != 403
                return True
            case _Method.NOTHING if asked:
                self._begin(asked)
                return True
        if problem := self._denied(status, sentence, is_asked=asked is not None):
            raise problem
        return False

    def _denied(self, status: int, sentence: str, *, is_asked: bool) -> Problem | None:
        """The Problem for a denied request; None if the answer is about something else."""
        host = self._address.host
        match self._method:
            # If keys are off, App Service redirects this path to the login, too.
            case _Method.KEYED_ROUTES if is_asked or (status in {403, 404} and not sentence):
                why = (
                    "requires a sign-in and accepts no keys"
                    if is_asked or self._is_sure
                    else "denied access: check its access restrictions. If it requires a sign-in"
                )
                return Refused(
                    f"{host} {why}: leave PHOTOSYNC_KEY out, and set PHOTOSYNC_CLIENT_ID (or give "
                    "--client-id)."
                )
            case _Method.KEY | _Method.KEYED_ROUTES if status == 401:
                return Unreachable(f"{host} does not accept the key: check PHOTOSYNC_KEY.")
            case _Method.TOKEN if is_asked or status == 401:
                return Refused(
                    sentence
                    or f"{host} does not accept your sign-in: check --tenant-id, and that "
                    "--client-id is its CONSOLE_SIGN_IN; if that is empty, set PHOTOSYNC_KEY."
                )
            case _Method.TOKEN if status == 403 and not sentence:
                return Refused(
                    f"{host} denied your sign-in before PhotoSync saw it: check its access "
                    "restrictions, and the clients that its App Service authentication allows."
                )
            case _Method.NOTHING if status in {401, 403} and not sentence:
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
        self._method, self._sign_in = _Method.TOKEN, self._signed_in(account, asks_cli=False)

    def _signed_in(self, account: Account, *, asks_cli: bool) -> SignIn:
        return SignIn(account, asks_cli=asks_cli, ca=self._address.ca, tell=self._tell)
