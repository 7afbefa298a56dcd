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

# Codes for trouble at Entra; every other code concerns our registration or settings.
_PASSING = {"temporarily_unavailable", "server_error", "service_unavailable", "throttled"}


class EntraBusy(requests.RequestException):
    """Entra asks us to wait or is in trouble; this says nothing about our registration."""

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"Entra answered {response.status_code}.", response=response)
        self.retry_after = seconds_asked(response.headers, datetime.now(UTC))


class _Client(Protocol):
    """The interface to both kinds of msal client."""

    def token_for(self, audience: str) -> dict[str, Any]: ...


# In seconds: the least time between new clients after a refused token. If a role is missing, every
# token is refused.
RENEW_SECONDS = 60.0


class EntraTokens:
    """
    Tokens for an app registration with a certificate, or for a managed identity.

    SharePoint refuses app-only tokens made with a client secret (sharepoint.md section 4,
    documented), so there is no setting for one.
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
        """Build as *settings* say; the first token makes the first call. Raises SettingsError."""
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

        It may return the same token again if the client was renewed within RENEW_SECONDS: another
        one would be refused, too. Raises AccessDenied if Entra refuses, ServiceDown if it cannot be
        reached.
        """
        # msal is thread-safe, but would let all threads request a token at the same time.
        with self._lock:
            token = self._ask(audience)
            if token == refused and self._clock() - self._renewed_at > RENEW_SECONDS:
                # msal has no call that bypasses its cache for both kinds of client; a new client
                # has an empty cache. This happens once, after a role was granted or a key rotated.
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
            raise ServiceDown("Entra answered with invalid JSON.", service="entra") from error
        except requests.RequestException as error:
            sentence = f"Entra could not be reached for a token ({type(error).__name__})."
            raise ServiceDown(sentence, service="entra") from error
        except ValueError as error:
            # msal raises this if the tenant's discovery document does not exist.
            raise AccessDenied(
                "Entra does not know this tenant: check TENANT_ID and M365_CLOUD."
            ) from error
        return _token_of(answer)


def _token_of(answer: dict[str, Any]) -> str:
    token = answer.get("access_token")
    if isinstance(token, str):
        return token
    code = str(answer.get("error"))
    # The description begins with the AADSTS code and the reason. The trace ids and the time that
    # follow would make every sentence different.
    description = str(answer.get("error_description") or code)
    why = re.split(r"[\r\n]| Trace ID:", description)[0].strip()[:300]
    if code in _PASSING:
        raise ServiceDown(f"Entra is busy: {why}", service="entra")
    raise AccessDenied(f"Entra refused to issue a token: {why}")


class _Session(OneHostSession):
    """The session for msal: sets timeouts, and raises if Entra is in trouble."""

    def request(self, *args: Any, **more: Any) -> requests.Response:
        more["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
        response = super().request(*args, **more)
        # msal would mistake a 429 for "no such tenant" and raise its own error for a 5xx.
        if response.status_code == 429 or response.status_code >= 500:
            raise EntraBusy(response)
        # Nor does msal expect an unfollowed redirect.
        if 300 <= response.status_code < 400:
            raise requests.RequestException(f"Entra answered {response.status_code}.")
        return response


class _Registration:
    def __init__(self, client_id: str, authority: str, key: dict[str, str]) -> None:
        self._app = msal.ConfidentialClientApplication(
            client_id,
            client_credential=key,
            authority=authority,
            # The authority comes from our own settings, so it needs no validation by Microsoft.
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


class PlaceholderTokens:
    """A placeholder token: even a refusal carries the service's time."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        return "none"
