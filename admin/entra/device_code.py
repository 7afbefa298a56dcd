"""Signing in with a code on another device (facts: graph.md section 9)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msal
import requests

from admin.terminal.problems import Refused, Unreachable
from admin.terminal.unanswered import no_connection
from shared.session import OneHostSession

_SECONDS = (10, 60)
# msal's error for a flow that timed out.
_PENDING = "authorization_pending"


@dataclass(frozen=True)
class Client:
    """A public client in Entra; *tenant* may be `organizations`, *ca* a private CA's file."""

    client_id: str
    login_url: str
    tenant: str
    ca: str = ""


class DeviceCode:
    """
    One person's sign-in by code.

    The tokens are kept only in this process: without a keyring, msal's cache file is plain text,
    and anyone who can read it could give orders.
    """

    def __init__(self, client: Client, scopes: list[str], refused: Callable[[str], str]) -> None:
        """*refused* turns Entra's reason for issuing no token into a sentence."""
        self._client = client
        self._scopes = scopes
        self._refused = refused
        self._app: msal.PublicClientApplication | None = None

    def token(self, tell: Callable[[str], None]) -> str:
        """
        A token; *tell* shows the code to type on another device, the first time. Raises Refused
        and Unreachable.
        """
        try:
            self._app = self._app or self._build()
            answer = self._again(self._app) or self._first(self._app, tell)
        except requests.RequestException as error:
            raise no_connection(error, self._client.login_url) from error
        except ValueError as error:
            # msal raises this if there is no such tenant, or if the server is not Entra.
            raise Unreachable(
                "Entra does not know this tenant: check --tenant-id (for grant: --tenant) and "
                "M365_CLOUD."
            ) from error
        token = answer.get("access_token")
        if not isinstance(token, str):
            raise Refused(self._refusal(answer))
        return token

    def _build(self) -> msal.PublicClientApplication:
        return msal.PublicClientApplication(
            self._client.client_id,
            authority=f"{self._client.login_url}/{self._client.tenant}",
            # The authority comes from our own table or from the admin, so it needs no discovery.
            instance_discovery=False,
            http_client=_Session(self._client.ca),
        )

    def _again(self, app: msal.PublicClientApplication) -> dict[str, Any] | None:
        accounts = app.get_accounts()
        return app.acquire_token_silent(self._scopes, accounts[0]) if accounts else None

    def _first(
        self, app: msal.PublicClientApplication, tell: Callable[[str], None]
    ) -> dict[str, Any]:
        flow = app.initiate_device_flow(self._scopes)
        if "user_code" not in flow:
            raise Refused(self._refusal(flow))
        tell(str(flow["message"]))
        return dict(app.acquire_token_by_device_flow(flow))

    def _refusal(self, answer: dict[str, Any]) -> str:
        if answer.get("error") == _PENDING:
            return "Nobody signed in with the code in time: repeat the command."
        told = str(answer.get("error_description") or answer.get("error") or "it gave no reason")
        return self._refused(told.partition(" Trace ID:")[0].splitlines()[0][:300].rstrip("."))


class _Session(OneHostSession):
    """msal's session for Entra: with timeouts, and with the private CA of the command line."""

    def __init__(self, ca: str) -> None:
        super().__init__()
        self._ca = ca

    def request(self, *args: Any, **more: Any) -> requests.Response:
        more["timeout"] = _SECONDS
        if self._ca:
            more["verify"] = self._ca
        response = super().request(*args, **more)
        # msal cannot handle a redirect that is not followed.
        if 300 <= response.status_code < 400:
            raise requests.RequestException(f"Entra answered {response.status_code}.")
        return response
