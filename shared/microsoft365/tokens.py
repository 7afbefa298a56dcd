"""Bearer tokens from Entra: one msal client per process, one scope per host."""

from __future__ import annotations

import functools
import json
import math
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import msal
import requests

from shared.backoff import seconds_asked
from shared.errors import AccessDenied, ServiceDown, Throttled
from shared.microsoft365.certificates import credential
from shared.microsoft365.http import CONNECT_SECONDS, READ_SECONDS
from shared.session import OneHostSession
from shared.settings.app import Settings

# What Entra answers when it is the one in trouble; everything else is about us.
_PASSING = {"temporarily_unavailable", "server_error", "service_unavailable", "throttled"}


class EntraBusy(requests.RequestException):
    """Entra asks for patience or is in trouble itself: it has said nothing about us."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"Entra answered {response.status_code}.", response=response)
        self.retry_after = seconds_asked(response.headers, datetime.now(UTC))


class _Client(Protocol):
    """What is asked of either kind of msal client."""

    def token_for(self, audience: str) -> dict[str, Any]: ...


# How often a refused token is worth a new client; a missing role refuses every one of them.
RENEW_SECONDS = 60.0


class EntraTokens:
    """
    Tokens for an app registration with a certificate, or for a managed identity.

    SharePoint refuses app-only tokens made with a client secret (sharepoint.md section 4,
    documented), so there is no secret to set.
    """

    def __init__(
        self, new_client: Callable[[], _Client], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._new_client = new_client
        self._clock = clock
        self._renewed_at = -math.inf
        self._client: _Client | None = None
        self._lock = threading.Lock()

    @classmethod
    def build(cls, settings: Settings) -> EntraTokens:
        """The way *settings* name; the first token makes the first call. Raises SettingsError."""
        if settings.managed_identity_client_id:
            return cls(functools.partial(_ManagedIdentity, settings.managed_identity_client_id))
        key = credential(settings.client_certificate)
        return cls(
            functools.partial(
                _Registration,
                settings.client_id,
                f"{settings.login_url}/{settings.tenant_id}",
                {"private_key": key.private_key, "public_certificate": key.certificate},
            )
        )

    def bearer(self, audience: str, *, refused: str = "") -> str:
        """
        A token for the host *audience*; one other than *refused*, which got a 401.

        It is the same one again if new ones were got a moment ago: then they are refused too.
        Raises AccessDenied when Entra refuses, ServiceDown when it cannot be reached.
        """
        # msal is safe to share between threads but would let all of them ask at once.
        with self._lock:
            token = self._ask(audience)
            if token == refused and self._clock() - self._renewed_at > RENEW_SECONDS:
                # msal has no call that skips its cache for both kinds of client; a new one has
                # an empty cache. It happens once, when a role was granted or a key was rolled.
                self._client, self._renewed_at = None, self._clock()
                token = self._ask(audience)
            return token

    def _ask(self, audience: str) -> str:
        try:
            if self._client is None:
                self._client = self._new_client()
            answer = self._client.token_for(audience)
        except EntraBusy as error:
            raise Throttled(str(error), retry_after=error.retry_after, service="entra") from error
        except json.JSONDecodeError as error:
            raise ServiceDown("Entra answered with a broken body.", service="entra") from error
        except requests.RequestException as error:
            sentence = f"Entra could not be reached for a token ({type(error).__name__})."
            raise ServiceDown(sentence, service="entra") from error
        except ValueError as error:
            # msal says so when the tenant's discovery document is not there.
            raise AccessDenied(
                "Entra does not know this tenant: check TENANT_ID and M365_CLOUD."
            ) from error
        return _token_of(answer)


def _token_of(answer: dict[str, Any]) -> str:
    token = answer.get("access_token")
    if isinstance(token, str):
        return token
    code = str(answer.get("error"))
    # The beginning names the AADSTS code and the reason; trace ids and a time follow, which would
    # make every sentence another one.
    told = str(answer.get("error_description") or code)
    why = re.split(r"[\r\n]| Trace ID:", told)[0].strip()[:300]
    if code in _PASSING:
        raise ServiceDown(f"Entra is busy: {why}", service="entra")
    raise AccessDenied(f"Entra gives no token: {why}")


class _Session(OneHostSession):
    """What msal calls Entra with: time-outs, and no answer of a service in trouble."""

    def request(self, *args: Any, **more: Any) -> requests.Response:
        more["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        response = super().request(*args, **more)
        # msal would take a 429 for "no such tenant" and raise a 5xx as an error of its own.
        if response.status_code == 429 or response.status_code >= 500:
            raise EntraBusy(response)
        # Nor does msal expect that a redirect is not followed.
        if 300 <= response.status_code < 400:
            raise requests.RequestException(f"Entra answered {response.status_code}.")
        return response


class _Registration:
    def __init__(self, client_id: str, authority: str, key: dict[str, str]) -> None:
        self._app = msal.ConfidentialClientApplication(
            client_id,
            client_credential=key,
            authority=authority,
            # The authority comes from our own settings: nobody else needs to vouch for it.
            instance_discovery=False,
            http_client=_Session(),
        )

    def token_for(self, audience: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._app.acquire_token_for_client([f"{audience}/.default"])
        return answer


class _ManagedIdentity:
    def __init__(self, client_id: str) -> None:
        self._client = msal.ManagedIdentityClient(
            msal.UserAssignedManagedIdentity(client_id=client_id), http_client=_Session()
        )

    def token_for(self, audience: str) -> dict[str, Any]:
        answer: dict[str, Any] = self._client.acquire_token_for_client(resource=audience)
        return answer


class Anybody:
    """Tokens for whoever has none: a refusal tells the time as well as an answer does."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        return "none"
