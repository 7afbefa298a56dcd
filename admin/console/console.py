"""
Client of PhotoSync's console API. Turns every foreign error into a Problem.

The key or token is sent in a header (see `authentication`). Redirects are not followed: they would
send it to another address.
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
from admin.console.authentication import AuthenticationMethods
from admin.terminal.fields import Fields
from admin.terminal.problems import Unsound, Unusable
from admin.terminal.trail import Trail
from admin.terminal.unanswered import too_slow
from shared import version
from shared.session import OneHostSession

T = TypeVar("T")

# Seconds to connect, and to answer: the doctor makes a dozen calls to Graph and SharePoint.
_TIMEOUT = (10, 120)
_PAGE = 200


class OrderHistory(NamedTuple):
    """Orders, the user they are about if known, and whether lines of the log are damaged."""

    user: Fields
    orders: list[Fields]
    damaged: bool


class Console:
    """One connection to the app. Every method raises Problem."""

    def __init__(
        self,
        address: Address,
        timeout: tuple[float, float] = _TIMEOUT,
        *,
        account: Account | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """*tell* prints what signing in needs, and once if the app's version differs."""
        self._address = address
        self._methods = AuthenticationMethods(address, account or Account(), tell)
        self._timeout = timeout
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
        """The caller and their role, as the app sees them."""
        return self._call("GET", "me", key="via")

    def overview(self) -> Fields:
        """The status of everything."""
        return self._call("GET", "overview", key="counts")

    def user(self, user: str) -> Fields:
        """Both sides of one user, read now."""
        return self._call("GET", _path(user), key="agree")

    def state(self, user: str) -> Fields:
        """The stored state of one user, and as of when: cheap enough to poll."""
        return self._call("GET", _path(user), key="state", query={"sides": "none"})

    def photo(self, user: str, side: str) -> bytes:
        """
        One side's picture of a user, as a small JPEG.

        Raises NotFound, which says why there is none, and Busy.
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
        """All users that match, page by page."""
        wanted = {"search": search, "status": status, "size": str(_PAGE)}
        flags = {"gone": gone, "differs": differs, "wouldChange": would_change}
        wanted |= {name: "true" for name, is_wanted in flags.items() if is_wanted}
        for page in self._pages("users", "users", wanted):
            for person in page.parts("users"):
                if would_change and not person.text("wouldChange"):
                    # An older app ignores the filter.
                    raise Unsound(
                        "The app is too old to report what would change: deploy it again."
                    )
                yield person

    def history(self, *, user: str = "", since: str = "") -> OrderHistory:
        """The orders about *user*, or all of them, since *since*; newest first."""
        pages = list(self._pages("history", "orders", {"user": user, "since": since}))
        return OrderHistory(
            pages[0].part("user"),
            [one for page in pages for one in page.parts("orders")],
            damaged=any(page.number("damaged") for page in pages),
        )

    def _pages(self, path: str, key: str, wanted: Mapping[str, str]) -> Iterator[Fields]:
        """The pages of a list whose items are under *key*."""
        token, trail = "", Trail()
        while True:
            query = {**wanted, "token": token}
            page = self._call("GET", path, key=key, query={k: v for k, v in query.items() if v})
            if why := page.text("unasked"):
                raise Unsound(
                    f"No known user matches, and Microsoft 365 could not be searched: {why}"
                )
            yield page
            # An empty page may have a token.
            following = page.text("token")
            if not following:
                return
            trail.go_on(following)
            token = following

    def replay(self, user: str, *, force: bool, replace: bool = False) -> Fields:
        """Replay one user; *replace* also replaces a picture that a person chose."""
        # An older app would refuse the unknown field.
        body = {"force": force} | ({"replace": True} if replace else {})
        return self._call("POST", f"{_path(user)}/replay", key="queued", body=body)

    def sweep(self) -> Fields:
        """Start a sweep."""
        return self._call("POST", "sweep", key="queued", body={})

    def renew(self) -> Fields:
        """Renew the subscription."""
        return self._call("POST", "sweep", key="queued", body={"renew": True})

    def release_removals(self) -> Fields:
        """Release the removals that the brake holds back."""
        return self._call("POST", "sweep", key="released", body={"releaseRemovals": True})

    def audit(self, *, repair: bool) -> Fields:
        """Start an audit of every picture in SharePoint."""
        return self._call("POST", "audit", key="audit", body={"repair": repair})

    def release_repairs(self) -> Fields:
        """Release the repairs that the brake holds back."""
        return self._call("POST", "audit", key="released", body={"releaseRepairs": True})

    def uninstall(self, *, remove_pictures: bool) -> Fields:
        """Start to uninstall PhotoSync."""
        body = {"removePictures": remove_pictures}
        return self._call("POST", "uninstall", key="uninstall", body=body)

    def cancel_uninstall(self) -> Fields:
        """Cancel the uninstallation."""
        return self._call("POST", "uninstall", key="cancelled", body={"cancel": True})

    def dismiss(self, users: Sequence[str], unreadable_to: str = "") -> Fields:
        """Dismiss users' failures, and unreadable messages up to a point in time."""
        body: dict[str, Any] = {"users": list(users)} if users else {}
        body |= {"unreadableTo": unreadable_to} if unreadable_to else {}
        return self._call("POST", "dismiss", key="dismissed", body=body)

    def doctor(self) -> Fields:
        """The app's checks of itself."""
        return self._call("GET", "doctor", key="checks")

    def _call(
        self,
        method: str,
        path: str,
        *,
        key: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Fields:
        """The answer, which must have a field *key*: other services send JSON with 200, too."""

        def read(content: bytes, host: str) -> Fields:
            return answers.fields(content, host, key)

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
        """The result of *read* for the body."""
        host = self._address.host
        while True:
            answer, content = self._ask(method, path, query, body)
            if answer.status_code in range(200, 300):
                result = read(content, host)
                self._compare(answer.headers.get(version.HEADER, ""))
                return result
            error = Fields.of(answers.document(content)).part("error")
            # At most two ways, each tried once.
            if not self._methods.try_next(
                answer, error.text("message")[: answers.LONGEST_SENTENCE]
            ):
                raise answers.refusal(answer, error, host)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
    ) -> tuple[requests.Response, bytes]:
        """One request by the current way, and its answer."""
        authentication = self._methods.current()
        # An environment variable would override the session's own `verify`.
        trust: str | bool | None = self._address.ca or None
        host = self._address.host
        try:
            with self._session.request(
                method,
                f"{self._address.url}/{authentication.path}/{path}",
                params=query,
                json=body,
                headers=authentication.headers,
                verify=trust,
                timeout=self._timeout,
                stream=True,
            ) as answer:
                return answer, answers.content_of(answer, host, seconds=self._timeout[1])
        except requests.exceptions.RequestException as error:
            raise answers.no_answer(error, host) from error
        except urllib3.exceptions.ReadTimeoutError as error:
            raise too_slow(host) from error
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            # ValueError: a Location that is not a URL.
            raise answers.broken(host) from error

    def _compare(self, version: str) -> None:
        """Warn once if the app is older or newer; its answers are read anyway."""
        if self._warn and (sentence := versions.differ(version)):
            self._warn(sentence)
        self._warn = None


def _path(user: str) -> str:
    try:
        if user.strip() and set(user) != {"."}:
            return f"users/{quote(user, safe='')}"
    except UnicodeEncodeError:
        pass  # a name in an encoding that is not the terminal's
    raise Unusable(f"{user!r} is not a user: give a UPN such as anne@contoso.com, or a name.")
