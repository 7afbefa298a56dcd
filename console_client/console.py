"""
The console API of PhotoSync, spoken over HTTP. Every foreign error becomes a Problem here.

The key travels in the header `x-functions-key` and no redirect is followed: it would take the key
along to wherever it points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from console_client.address import Address
from console_client.fields import Fields
from console_client.problems import NotThere, Problem, Unreachable, Unsound, Unusable

# To connect, and to answer: the doctor asks Graph and SharePoint a dozen things in turn.
_PATIENCE = (10, 120)
_PAGE = 200


class Console:
    """One connection to the app. Every method raises Problem."""

    def __init__(self, address: Address, patience: tuple[float, float] = _PATIENCE) -> None:
        self._address = address
        self._patience = patience
        self._session = requests.Session()
        self._session.headers.update({"x-functions-key": address.key, "Accept": "application/json"})

    def __enter__(self) -> Console:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.close()

    def overview(self) -> Fields:
        """How everything is."""
        return self._call("GET", "overview")

    def user(self, user: str) -> Fields:
        """Both sides of one user, now."""
        return self._call("GET", _path(user))

    def users(self, *, status: str) -> Iterator[Fields]:
        """Everybody with this status, page by page."""
        token = ""
        while True:
            query = {"status": status, "size": str(_PAGE), "token": token}
            page = self._call("GET", "users", query={k: v for k, v in query.items() if v})
            yield from page.parts("users")
            # A page may be empty and have a token all the same.
            following = page.text("token")
            if not following or following == token:
                return
            token = following

    def replay(self, user: str, *, force: bool) -> Fields:
        """Have one user looked at again."""
        return self._call("POST", f"{_path(user)}/replay", body={"force": force})

    def sweep(self) -> Fields:
        """Have everybody looked at."""
        return self._call("POST", "sweep", body={})

    def release_removals(self) -> Fields:
        """Let the removals go ahead that the brake holds back."""
        return self._call("POST", "sweep", body={"releaseRemovals": True})

    def doctor(self) -> Fields:
        """Every check of the app by itself."""
        return self._call("GET", "doctor")

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Fields:
        url = f"{self._address.url}/api/console/{path}"
        # A variable of the environment would win over the session's own `verify`.
        trust: str | bool | None = self._address.ca or None
        try:
            answer = self._session.request(
                method,
                url,
                params=query,
                json=body,
                verify=trust,
                timeout=self._patience,
                allow_redirects=False,
            )
        except requests.exceptions.RequestException as error:
            raise _untold(error, self._address.host) from error
        return _read(answer, self._address.host)


def _path(user: str) -> str:
    try:
        if user.strip() and set(user) != {"."}:
            return f"users/{quote(user, safe='')}"
    except UnicodeEncodeError:
        pass  # what a terminal with another encoding has made of a name
    raise Unusable(f"{user!r} is no user: give a UPN such as anne@contoso.com or an object id.")


def _untold(error: requests.exceptions.RequestException, host: str) -> Problem:
    """What to tell of a request that got no answer."""
    match error:
        case requests.exceptions.SSLError() if "X509" in str(error):
            return Unusable("The file of --ca holds no certificates: give a PEM file.")
        case requests.exceptions.SSLError() if "VERIFY_FAILED" not in str(error):
            return Unreachable(f"{host} does not speak https: check PHOTOSYNC_URL and its port.")
        case requests.exceptions.SSLError():
            return Unreachable(
                f"The certificate of {host} is not trusted: if a private CA issued it, "
                "give that CA's PEM file with --ca or PHOTOSYNC_CA."
            )
        case requests.exceptions.ProxyError():
            return Unreachable(f"The proxy does not let us through to {host}: check HTTPS_PROXY.")
        case requests.exceptions.ReadTimeout():
            return Unreachable(f"{host} took too long to answer: try again in a minute.")
        case requests.exceptions.ConnectionError():
            return Unreachable(
                f"No connection to {host}: check PHOTOSYNC_URL and whether the app runs."
            )
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return Unusable("PHOTOSYNC_URL cannot be called: check how it is spelled.")
        case _:
            return Unsound(f"The answer of {host} broke off: try again.")


def _read(answer: requests.Response, host: str) -> Fields:
    content = _json(answer)
    if answer.ok and not answer.is_redirect and answer.status_code < 300:
        if not isinstance(content, dict):
            raise Unsound(
                f"{host} did not answer in JSON: check that PHOTOSYNC_URL is PhotoSync's address."
            )
        return Fields(content)
    raise _refusal(answer, Fields.of(content).part("error").text("message"), host)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _refusal(answer: requests.Response, told: str, host: str) -> Problem:
    """What to tell of an answer that is none, with the app's own sentence where it has one."""
    match answer.status_code:
        case 401:
            return Unreachable(f"{host} does not accept the key: check PHOTOSYNC_KEY.")
        case 403:
            return Unreachable(told or f"{host} refuses this: check its access restrictions.")
        case 400:
            return Unusable(told or f"{host} does not understand this request.")
        case 404 if told:
            return NotThere(told)
        case 404:
            return Unreachable(f"{host} has no PhotoSync console: check PHOTOSYNC_URL.")
        case 429 | 503:
            return Unsound(told or f"{host} is busy or starting: try again in a minute.")
        case status if 300 <= status < 400:
            elsewhere = urlsplit(answer.headers.get("Location", "")).hostname or "elsewhere"
            return Unreachable(
                f"{host} sends us to {elsewhere}: check PHOTOSYNC_URL, and that no sign-in page "
                "stands before the app."
            )
        case status:
            return Unsound(
                told or f"{host} answered with an error ({status}): look into the app's log."
            )
