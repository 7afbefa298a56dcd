"""
The console API of PhotoSync, spoken over HTTP. Every foreign error becomes a Problem.

A key or a token travels in a header (see `ways`), and no redirect is followed: it would take it
along to wherever that points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import requests
import urllib3

from admin.console import answers, versions
from admin.console.account import Account
from admin.console.address import Address
from admin.console.ways import Ways
from admin.terminal.fields import Fields
from admin.terminal.problems import Unsound, Unusable
from admin.terminal.trail import Trail
from admin.terminal.unanswered import too_slow
from shared import version
from shared.session import OneHostSession

T = TypeVar("T")

# To connect, and to answer: the doctor asks Graph and SharePoint a dozen things in turn.
_PATIENCE = (10, 120)
_PAGE = 200


class Past(NamedTuple):
    """Whom they are about, as far as that is known, and whether lines of their log are damaged."""

    user: Fields
    orders: list[Fields]
    damaged: bool


class Console:
    """One connection to the app. Every method raises Problem."""

    def __init__(
        self,
        address: Address,
        patience: tuple[float, float] = _PATIENCE,
        *,
        account: Account | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """*tell* says what signing in needs, and once if the app is of another version."""
        self._address = address
        self._ways = Ways(address, account or Account(), tell)
        self._patience = patience
        self._warn: Callable[[str], None] | None = tell
        self._session = OneHostSession()
        self._session.headers["Accept"] = "application/json"

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def host(self) -> str:
        """The host of the app."""
        return self._address.host

    def me(self) -> Fields:
        """Who asks, as the app sees it, and what they may."""
        return self._call("GET", "me", told="via")

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
        return self._send("GET", path, answers.picture, query={"small": "true"})

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
        for page in self._pages("users", "users", wanted):
            for person in page.parts("users"):
                if would_change and not person.text("wouldChange"):
                    # It lists everybody.
                    raise Unsound("The app is too old to tell what would change: deploy it anew.")
                yield person

    def history(self, *, user: str = "", since: str = "") -> Past:
        """The orders about *user*, or all of them, from *since* on; the newest first."""
        pages = list(self._pages("history", "orders", {"user": user, "since": since}))
        return Past(
            pages[0].part("user"),
            [one for page in pages for one in page.parts("orders")],
            damaged=any(page.number("damaged") for page in pages),
        )

    def _pages(self, path: str, told: str, wanted: Mapping[str, str]) -> Iterator[Fields]:
        """A list, of which each page names some under *told*."""
        token, trail = "", Trail()
        while True:
            query = {**wanted, "token": token}
            page = self._call("GET", path, told=told, query={k: v for k, v in query.items() if v})
            if why := page.text("unasked"):
                raise Unsound(f"Nobody like that is known, and Microsoft 365 was not asked: {why}")
            yield page
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

        def read(content: bytes, host: str) -> Fields:
            return answers.fields(content, host, told)

        return self._send(method, path, read, query=query, body=body)

    def _send(
        self,
        method: str,
        path: str,
        read: Callable[[bytes, str], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """What *read* makes of the body."""
        host = self._address.host
        while True:
            answer, content = self._ask(method, path, query, body)
            if answer.status_code in range(200, 300):
                result = read(content, host)
                self._compare(answer.headers.get(version.HEADER, ""))
                return result
            error = Fields.of(answers.document(content)).part("error")
            # There are two ways at most, each tried once.
            if not self._ways.goes_on(answer, error.text("message")[: answers.LONGEST_SENTENCE]):
                raise answers.refusal(answer, error, host)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[requests.Response, bytes]:
        """One request the way that is taken now, and what came back."""
        way = self._ways.way()
        # A variable of the environment would win over the session's own `verify`.
        trust: str | bool | None = self._address.ca or None
        host = self._address.host
        try:
            with self._session.request(
                method,
                f"{self._address.url}/{way.path}/{path}",
                params=query,
                json=body,
                headers=way.headers,
                verify=trust,
                timeout=self._patience,
                stream=True,
            ) as answer:
                return answer, answers.content_of(answer, host, seconds=self._patience[1])
        except requests.exceptions.RequestException as error:
            raise answers.untold(error, host) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise too_slow(host) from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            # A ValueError: a Location may be no address.
            raise answers.broken(host) from error

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
    raise Unusable(f"{user!r} is no user: give a UPN such as anne@contoso.com, or a name.")
