"""
How the app wants to be entered: by key or by sign-in. It is tried, since only the app knows.

    key                                 /api/console with the key
      the app wants people to sign in   /api/keyed with the key
        it has people sign in there,
        or there is no such thing       keys are switched off: a sentence
    no key, but a client id             /api/console with a token
    neither                             /api/console with nothing
      the app wants people to sign in   /api/console with a token, for the registration it names

What the app does not let in has done nothing, so it is sent again the next way.
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
    """Below which path the API is, and the headers that open it."""

    path: str
    headers: Mapping[str, str]


class _By(Enum):
    KEY = auto()
    KEY_BESIDES = auto()  # the routes for keys where people sign in
    TOKEN = auto()
    NOTHING = auto()


class Ways:
    """The way in that is taken now, and what follows from how the app answers there."""

    def __init__(self, address: Address, account: Account, tell: Callable[[str], None]) -> None:
        self._address = address
        self._account = account
        self._tell = tell
        self._sign_in: SignIn | None = None
        self._is_sure = False  # that people sign in there, as a 403 may mean anything
        if address.key:
            self._by = _By.KEY
        elif account.client_id:
            self._by, self._sign_in = _By.TOKEN, self._signed_in(account, asks_cli=True)
        else:
            self._by = _By.NOTHING

    def way(self) -> Way:
        """The way to take. Raises Problem where nobody signs in."""
        if self._sign_in:
            return Way(_CONSOLE, {"Authorization": f"Bearer {self._sign_in.token()}"})
        path = _KEYED if self._by is _By.KEY_BESIDES else _CONSOLE
        key = self._address.key
        return Way(path, {"x-functions-key": key} if key else {})

    def goes_on(self, answer: requests.Response, told: str) -> bool:
        """
        Whether another way is to be tried after *answer*, in which the app *told* a sentence.

        Raises Problem where there is no other way in.
        """
        asked = challenge.read(answer, self._address.host, self._account.login_url)
        status = answer.status_code
        match self._by:
            # A 403 without a sentence is not PhotoSync's; the platform may answer so, too.
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
        """What to tell of somebody who is not let in; None where something else is the matter."""
        host = self._address.host
        match self._by:
            # Where keys are off, App Service sends this path to the login, too.
            case _By.KEY_BESIDES if is_asked or (status in {403, 404} and not told):
                why = (
                    "has people sign in and takes no keys"
                    if is_asked or self._is_sure
                    else "refuses this: check its access restrictions. If people sign in there"
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
                    or f"{host} does not accept your sign-in: check that --client-id is what its "
                    "CONSOLE_SIGN_IN says, and --tenant-id; if that is empty, set PHOTOSYNC_KEY."
                )
            case _By.TOKEN if status == 403 and not told:
                return Refused(
                    f"{host} refuses your sign-in before PhotoSync is asked: check its access "
                    "restrictions, and which clients its App Service authentication allows."
                )
            case _By.NOTHING if status in {401, 403} and not told:
                return Unusable(
                    "Set PHOTOSYNC_KEY to a function key of the app, or give --key; where people "
                    "sign in, PHOTOSYNC_CLIENT_ID."
                )
        return None

    def _begin(self, asked: Challenge) -> None:
        host = self._address.host
        if not asked.client_id:
            raise Unusable(
                f"{host} has people sign in and does not say to which registration: set "
                "PHOTOSYNC_CLIENT_ID (azd env get-value PHOTOSYNC_CLIENT_ID)."
            )
        account = replace(
            self._account,
            client_id=asked.client_id,
            tenant=self._account.tenant or asked.tenant,
            login_url=self._account.login_url or asked.login_url,
        )
        self._tell(
            f"{host} has people sign in to the registration {asked.client_id}. Set "
            "PHOTOSYNC_CLIENT_ID to it if that is right, and the Azure CLI's sign-in will do."
        )
        # A page of a stranger could name any registration, and the CLI would ask nobody.
        self._by, self._sign_in = _By.TOKEN, self._signed_in(account, asks_cli=False)

    def _signed_in(self, account: Account, *, asks_cli: bool) -> SignIn:
        return SignIn(account, asks_cli=asks_cli, ca=self._address.ca, tell=self._tell)
