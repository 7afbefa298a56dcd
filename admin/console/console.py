"""
The console API of PhotoSync, spoken over HTTP. Every foreign error becomes a Problem here.

The key travels in the header `x-functions-key` and no redirect is followed: it would take the key
along to wherever it points.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import requests
import urllib3

from admin.console import versions
from admin.console.address import Address
from admin.terminal.fields import Fields
from admin.terminal.problems import Busy, NotThere, Problem, Unreachable, Unsound, Unusable
from admin.terminal.trail import Trail
from admin.terminal.unanswered import too_slow, unanswered
from shared import version
from shared.session import OneHostSession

T = TypeVar("T")

# To connect, and to answer: the doctor asks Graph and SharePoint a dozen things in turn.
_PATIENCE = (10, 120)
_PAGE = 200
# A page of users is a tenth of a megabyte. A wrong address may be that of anything.
_LARGEST_ANSWER = 16 * 1024 * 1024
_LONGEST_SENTENCE = 500
_JPEG = b"\xff\xd8\xff"


class Console:
    """One connection to the app. Every method raises Problem."""

    def __init__(
        self,
        address: Address,
        patience: tuple[float, float] = _PATIENCE,
        *,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """*warn* is told once if the app is of another version than this."""
        self._address = address
        self._patience = patience
        self._warn: Callable[[str], None] | None = warn
        self._session = OneHostSession()
        # Without TLS we speak to this machine only (see `address`): a proxy would read the key.
        self._session.trust_env = address.url.startswith("https:")
        self._session.headers.update({"x-functions-key": address.key, "Accept": "application/json"})

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def host(self) -> str:
        """The host of the app."""
        return self._address.host

    def overview(self) -> Fields:
        """How everything is."""
        return self._call("GET", "overview", told="counts")

    def user(self, user: str) -> Fields:
        """Both sides of one user, now."""
        return self._call("GET", _path(user), told="agree")

    def state(self, user: str) -> Fields:
        """What is remembered of one user, and when that was so: cheap enough to ask often."""
        return self._call("GET", _path(user), told="state", query={"sides": "none"})

    def photo(self, user: str, side: str) -> bytes:
        """
        One side's picture of a user, as a small JPEG; NotThere says why there is none.

        An app that is busy is a Busy.
        """
        path = f"{_path(user)}/photo/{side}"
        return self._send("GET", path, _picture, query={"small": "true"})

    def users(
        self,
        *,
        search: str = "",
        status: str = "",
        gone: bool = False,
        differs: bool = False,
        would_change: bool = False,
    ) -> Iterator[Fields]:
        """Everybody who fits, page by page."""
        wanted = {"search": search, "status": status, "size": str(_PAGE)}
        flags = {"gone": gone, "differs": differs, "wouldChange": would_change}
        wanted |= {name: "true" for name, is_wanted in flags.items() if is_wanted}
        for person in self._listed("users", "users", wanted):
            if would_change and not person.text("wouldChange"):
                # It lists everybody.
                raise Unsound("The app is too old to tell what would change: deploy it anew.")
            yield person

    def history(self, *, user: str = "", since: str = "") -> Iterator[Fields]:
        """The orders about *user*, or all of them, from *since* on; the newest first."""
        return self._listed("history", "orders", {"user": user, "since": since})

    def _listed(self, path: str, told: str, wanted: Mapping[str, str]) -> Iterator[Fields]:
        """Everything that a list names under *told*, page by page."""
        token, trail = "", Trail()
        while True:
            query = {**wanted, "token": token}
            page = self._call("GET", path, told=told, query={k: v for k, v in query.items() if v})
            yield from page.parts(told)
            # A page may be empty and have a token all the same.
            following = page.text("token")
            if not following:
                return
            trail.go_on(following)
            token = following

    def replay(self, user: str, *, force: bool, replace: bool = False) -> Fields:
        """Have one user looked at again; with *replace* a picture that a person chose goes."""
        # An older app knows nothing of it, and would refuse the word.
        body = {"force": force} | ({"replace": True} if replace else {})
        return self._call("POST", f"{_path(user)}/replay", told="queued", body=body)

    def sweep(self) -> Fields:
        """Have everybody looked at."""
        return self._call("POST", "sweep", told="queued", body={})

    def renew(self) -> Fields:
        """Have the subscription looked after."""
        return self._call("POST", "sweep", told="queued", body={"renew": True})

    def release_removals(self) -> Fields:
        """Let the removals go ahead that the brake holds back."""
        return self._call("POST", "sweep", told="released", body={"releaseRemovals": True})

    def audit(self, *, repair: bool) -> Fields:
        """Have everybody's picture in SharePoint looked at."""
        return self._call("POST", "audit", told="audit", body={"repair": repair})

    def release_repairs(self) -> Fields:
        """Let the repairs go ahead that the brake holds back."""
        return self._call("POST", "audit", told="released", body={"releaseRepairs": True})

    def uninstall(self, *, remove_pictures: bool) -> Fields:
        """Have PhotoSync taken back."""
        body = {"removePictures": remove_pictures}
        return self._call("POST", "uninstall", told="uninstall", body=body)

    def cancel_uninstall(self) -> Fields:
        """Take that order back."""
        return self._call("POST", "uninstall", told="cancelled", body={"cancel": True})

    def dismiss(self, users: Sequence[str], unreadable_to: str = "") -> Fields:
        """Take lines off the overview: failures of users, and messages set aside up to a moment."""
        body: dict[str, Any] = {"users": list(users)} if users else {}
        body |= {"unreadableTo": unreadable_to} if unreadable_to else {}
        return self._call("POST", "dismiss", told="dismissed", body=body)

    def doctor(self) -> Fields:
        """Every check of the app by itself."""
        return self._call("GET", "doctor", told="checks")

    def _call(
        self,
        method: str,
        path: str,
        *,
        told: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Fields:
        """The answer, which has a field *told*: others answer 200 in JSON, too."""

        def read(answer: requests.Response, content: bytes, host: str) -> Fields:
            return _read(answer, _json(content), host, told)

        return self._send(method, path, read, query=query, body=body)

    def _send(
        self,
        method: str,
        path: str,
        read: Callable[[requests.Response, bytes, str], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """What *read* makes of the answer and its body."""
        url = f"{self._address.url}/api/console/{path}"
        # A variable of the environment would win over the session's own `verify`.
        trust: str | bool | None = self._address.ca or None
        host = self._address.host
        try:
            with self._session.request(
                method,
                url,
                params=query,
                json=body,
                verify=trust,
                timeout=self._patience,
                stream=True,
            ) as answer:
                content = _content(answer, host, seconds=self._patience[1])
                told = read(answer, content, host)
                self._compare(answer.headers.get(version.HEADER, ""))
                return told
        except requests.exceptions.RequestException as error:
            raise _untold(error, host) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise too_slow(host) from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            # A ValueError: a Location may be no address.
            raise _broken(host) from error

    def _compare(self, told: str) -> None:
        """Say once that the app is older or newer; the answers are read all the same."""
        if self._warn and (sentence := versions.differ(told)):
            self._warn(sentence)
        self._warn = None


def _path(user: str) -> str:
    try:
        if user.strip() and set(user) != {"."}:
            return f"users/{quote(user, safe='')}"
    except UnicodeEncodeError:
        pass  # what a terminal with another encoding has made of a name
    raise Unusable(f"{user!r} is no user: give a UPN such as anne@contoso.com or an object id.")


def _untold(error: requests.exceptions.RequestException, host: str) -> Problem:
    """What to tell of a request that got no answer."""
    if told := unanswered(error, host):
        return told
    match error:
        case requests.exceptions.SSLError():
            return Unreachable(f"{host} does not speak https: check PHOTOSYNC_URL and its port.")
        case requests.exceptions.ConnectionError():
            return Unreachable(
                f"No connection to {host}: check PHOTOSYNC_URL and whether the app runs."
            )
        case requests.exceptions.InvalidURL() | requests.exceptions.InvalidSchema():
            return Unusable("PHOTOSYNC_URL cannot be called: check how it is spelled.")
        case _:
            return _broken(host)


def _broken(host: str) -> Problem:
    return Unsound(f"The answer of {host} broke off or is none: try again.")


def _content(answer: requests.Response, host: str, *, seconds: float) -> bytes:
    """The body, which may neither be endless nor come too slowly."""
    ends, content = time.monotonic() + seconds, bytearray()
    # read1 hands out what has come; the time-out of the session is for each piece of it.
    while piece := answer.raw.read1(64 * 1024, decode_content=True):
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise Unsound(f"{host} sends far too much: check that PHOTOSYNC_URL is PhotoSync's.")
        if time.monotonic() > ends:
            raise too_slow(host)
    return bytes(content)


def _read(answer: requests.Response, content: Any, host: str, told: str) -> Fields:
    if answer.status_code in range(200, 300):
        if not isinstance(content, dict):
            raise Unsound(
                f"{host} did not answer in JSON: check that PHOTOSYNC_URL is PhotoSync's address."
            )
        if told not in content:
            raise Unsound(
                f"{host} answered something else than PhotoSync does: check PHOTOSYNC_URL, and "
                "that manage.py is as new as the app."
            )
        return Fields(content)
    raise _refusal(answer, content, host)


def _picture(answer: requests.Response, content: bytes, host: str) -> bytes:
    if answer.status_code not in range(200, 300):
        raise _refusal(answer, _json(content), host)
    if not content.startswith(_JPEG):
        raise Unsound(f"{host} sent something else than a picture: is manage.py as new as the app?")
    return content


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _refusal(answer: requests.Response, content: Any, host: str) -> Problem:
    """What to tell of an answer that is none, with the app's own sentence where it has one."""
    error = Fields.of(content).part("error")
    told = error.text("message")[:_LONGEST_SENTENCE]
    match answer.status_code:
        case 401:
            return Unreachable(f"{host} does not accept the key: check PHOTOSYNC_KEY.")
        case 403:
            return Unreachable(told or f"{host} refuses this: check its access restrictions.")
        case 400:
            return Unusable(told or f"{host} does not understand this request.")
        case 404 if told:
            return NotThere(told, error.text("code"))
        case 404:
            return Unreachable(f"{host} has no PhotoSync console: check PHOTOSYNC_URL.")
        case 429 | 503:
            sentence = told or f"{host} is busy or starting: try again in a minute."
            return Busy(sentence, _seconds(answer.headers.get("Retry-After", "")))
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


def _seconds(retry_after: str) -> float | None:
    """So many as the header asks for; the other form, a date, is none of the app's."""
    is_number = retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 6
    return float(retry_after) if is_number else None
