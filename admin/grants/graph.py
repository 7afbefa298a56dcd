"""
Microsoft Graph with an admin's token. Every foreign error becomes a Problem here.

The token is sent to one host only: no redirects are followed, and no pages on other hosts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

import requests

from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.problems import Problem, Refused, Unsound
from admin.terminal.trail import Trail
from admin.terminal.unanswered import no_connection
from shared.session import OneHostSession

# Seconds to connect, and to answer.
_TIMEOUT = (10, 60)
_TRIES = 4
_LONGEST_PAUSE = 30.0
# Graph has not carried out the request.
_BUSY = {429, 503}
# Graph may have carried it out: retried only if a second time does no harm.
_DOUBTFUL = {500, 502, 504}
# Messages of a 403 that explain nothing (facts: graph.md section 8, sharepoint.md section 9).
_USUAL = {"", "Insufficient privileges to complete the operation.", "Access denied"}


class Busy(Problem):
    """Graph is overloaded or failing, and retries did not help."""

    exit_code = problems.UNSOUND


class Answered(Problem):
    """Graph answered with an error that the caller may handle."""

    exit_code = problems.UNSOUND

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"Microsoft Graph answered {status} {code}: {message.rstrip('.')}.")
        self.status = status
        self.message = message


class Graph:
    """Microsoft Graph as one signed-in admin. Every method raises Problem."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca: str = "",
        pause: Callable[[float], None] = time.sleep,
        transport: requests.adapters.BaseAdapter | None = None,
    ) -> None:
        self._url = url
        self._ca = ca
        self._pause = pause
        self._session = OneHostSession()
        self._session.headers["Authorization"] = f"Bearer {token}"
        if transport is not None:
            self._session.mount("https://", transport)

    def get(self, path: str, *, refusal: str, **query: str) -> Fields:
        """One object; *refusal* is the sentence if Graph answers 403."""
        return self._call("GET", self._at(path), refusal, query=query)

    def find(self, path: str, *, refusal: str, **query: str) -> Fields | None:
        """One object, or None if it does not exist."""
        try:
            return self.get(path, refusal=refusal, **query)
        except Answered as answer:
            if answer.status != 404:
                raise
            return None

    def pages(self, path: str, *, refusal: str, **query: str) -> Iterator[Fields]:
        """Every object of a list, page by page."""
        page, trail = self._call("GET", self._at(path), refusal, query=query), Trail()
        while True:
            yield from page.parts("value")
            following = page.text("@odata.nextLink")
            if not following:
                return
            trail.go_on(following)
            if not following.startswith(f"{self._url}/"):
                raise Unsound("Microsoft Graph linked to a page on another host: check GRAPH_URL.")
            page = self._call("GET", following, refusal)

    def post(
        self, path: str, body: Mapping[str, Any], *, refusal: str, repeatable: bool = True
    ) -> Fields:
        """Create something; not *repeatable* if a retry would create a second one."""
        return self._call("POST", self._at(path), refusal, body=body, repeatable=repeatable)

    def patch(self, path: str, body: Mapping[str, Any], *, refusal: str) -> None:
        self._call("PATCH", self._at(path), refusal, body=body)

    def delete(self, path: str, *, refusal: str) -> None:
        """Delete something; no error if it is already gone."""
        try:
            self._call("DELETE", self._at(path), refusal)
        except Answered as answer:
            if answer.status != 404:
                raise

    def _at(self, path: str) -> str:
        return f"{self._url}/v1.0/{path}"

    def _call(
        self,
        method: str,
        url: str,
        refusal: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        repeatable: bool = True,
    ) -> Fields:
        # `$` cannot be part of a Python name.
        options = {f"${name}": value for name, value in (query or {}).items()}
        passing = _BUSY | _DOUBTFUL if repeatable else _BUSY
        for tried in range(1, _TRIES + 1):
            answer = self._send(method, url, params=options, json=body)
            if answer.status_code not in passing or tried == _TRIES:
                break
            self._pause(_seconds(answer, tried))
        content = _json(answer)
        if answer.status_code < 300:
            return Fields.of(content)
        _raise(answer, Fields.of(content).part("error"), refusal)

    def _send(self, method: str, url: str, **more: Any) -> requests.Response:
        try:
            return self._session.request(
                method,
                url,
                # An environment variable would override the session's own `verify`.
                verify=self._ca or None,
                timeout=_TIMEOUT,
                **more,
            )
        except requests.exceptions.RequestException as error:
            raise no_connection(error, self._url) from error


def _seconds(answer: requests.Response, tried: int) -> float:
    try:
        asked = float(answer.headers.get("Retry-After", ""))
    except ValueError:
        asked = float(2**tried)
    return min(max(asked, 0.0), _LONGEST_PAUSE)


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _raise(answer: requests.Response, error: Fields, refusal: str) -> NoReturn:
    match answer.status_code:
        case 401:
            raise Refused(
                "Microsoft Graph does not accept the token: sign in again (az logout, az login), "
                "and check --cloud and Conditional Access."
            )
        case 403:
            told = error.text("message")
            more = "" if told in _USUAL else f" Microsoft Graph says: {told}"
            raise Refused(f"{refusal}{more}")
        case status if status in _BUSY | _DOUBTFUL:
            raise Busy("Microsoft Graph is busy: repeat the command in a few minutes.")
        case status:
            told = error.text("message") or "no reason given"
            raise Answered(status, error.text("code"), told)
