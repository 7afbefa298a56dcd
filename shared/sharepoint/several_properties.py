"""
Writes several properties of a profile: in one request where SharePoint takes it, else in one each.

ProcessQuery is documented and in wide use, but nobody says that an app may use it (facts:
sharepoint.md section 3). So nothing depends on it:

    it says that all is written                      done
    it says anything else, or nothing sensible       each property by REST, which has the last word
    it asks for patience, or nobody answers          the message waits, as by REST

Only where REST has written what ProcessQuery refused is ProcessQuery to blame: then it is left
alone for hours, at once if there is no such address, else after some users in a row. So no single
user's trouble takes it from all. One that only ever asks for patience, or never answers, is left
alone for minutes: reads have just worked on the same host.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from shared.errors import AccessDenied, Refused, ServiceDown, Throttled, Unanswered
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply, fault
from shared.sharepoint import process_query
from shared.sharepoint.account import account_name
from shared.sharepoint.errors import said
from shared.sharepoint.form_digest import FormDigest, is_refusal_of_digest

# In a row, with nothing in between that worked.
MOST_FAILURES = 5
# In seconds: of what an app may not do, and of a service that is busy or slow.
REFUSED_FOR = 6 * 3_600.0
BUSY_FOR = 600.0
# What is answered where nobody serves such a request at all.
_NO_SUCH_DOOR = frozenset({404, 405, 501})

log = logging.getLogger("photosync")


class OneProperty(Protocol):
    """Writes one property; see SharePointClient."""

    def __call__(
        self, upn: str, name: str, value: str, *, before_write: Callable[[], None]
    ) -> None: ...


class SeveralProperties:
    """Of profiles behind one admin host; threads may share it. Errors as SharePointClient's."""

    def __init__(
        self, http: Http, digest: FormDigest, one: OneProperty, ticks: Callable[[], float]
    ) -> None:
        self._http = http
        self._digest = digest
        self._one = one
        self._door = _Door(http.audience, ticks)

    def write(
        self, upn: str, changes: Mapping[str, str], *, before_write: Callable[[], None]
    ) -> None:
        """Write *changes* in their order; when it raises, any part of them may be written."""
        account = account_name(upn)
        entered = None
        # A single property costs one call by either way, and by REST no digest.
        if len(changes) > 1 and process_query.can_carry(account, changes):
            entered = self._door.enter()
        if entered is None:
            self._each(upn, changes, before_write)
            return
        body = process_query.body(account, changes)
        refused_by = self._together(body, entered, before_write)
        if refused_by is None:
            self._door.worked()
            return
        # It may have written some of them: the same again, in the same order, does no harm.
        self._each(upn, changes, before_write)
        self._door.failed(entered, shut_for=REFUSED_FOR, at_once=refused_by in _NO_SUCH_DOOR)

    def _each(self, upn: str, changes: Mapping[str, str], before_write: Callable[[], None]) -> None:
        for name, value in changes.items():
            self._one(upn, name, value, before_write=before_write)

    def _together(self, body: bytes, entered: int, before_write: Callable[[], None]) -> int | None:
        """None if all is written; the status of an answer that leaves it to REST to say why not."""
        try:
            reply = self._ask(body, before_write)
        except (AccessDenied, Refused):
            # Of the digest: those of ProcessQuery itself come as answers.
            return 0
        except ServiceDown as error:
            # What the claim is kept in may be down, too.
            if error.service == self._http.service:
                self._door.failed(entered, shut_for=BUSY_FOR)
            raise
        patience = fault(reply, *said(reply.body))
        if isinstance(patience, Throttled | Unanswered):
            self._door.failed(entered, shut_for=BUSY_FOR)
            raise patience
        return self._answered(reply)

    def _answered(self, reply: Reply) -> int | None:
        try:
            # Also a profile that is said not to be there: we have just read it.
            return reply.status if process_query.failure(reply) else None
        except Refused:
            return reply.status

    def _ask(self, body: bytes, before_write: Callable[[], None]) -> Reply:
        digest = self._digest.get()
        reply = self._send(body, digest, before_write)
        if is_refusal_of_digest(reply):
            reply = self._send(body, self._digest.get(refused=digest), before_write)
        return reply

    def _send(self, body: bytes, digest: str, before_write: Callable[[], None]) -> Reply:
        return self._http.send(
            "POST",
            process_query.PATH,
            headers=process_query.headers(digest),
            body=body,
            before_write=before_write,
        )


class _Door:
    """What one process remembers of ProcessQuery on *host*."""

    def __init__(self, host: str, ticks: Callable[[], float]) -> None:
        self._host = host
        self._ticks = ticks
        self._failures = 0
        self._shut_until = -1.0
        self._lock = threading.Lock()

    def enter(self) -> int | None:
        """How often in a row it has failed; None while it is shut."""
        with self._lock:
            return None if self._ticks() < self._shut_until else self._failures

    def worked(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self, entered: int, *, shut_for: float, at_once: bool = False) -> None:
        """Those that were under way together count as one: *entered* is what `enter` told."""
        with self._lock:
            self._failures = max(self._failures, entered + 1)
            if not at_once and self._failures < MOST_FAILURES:
                return
            was_open = self._ticks() >= self._shut_until
            self._shut_until = max(self._shut_until, self._ticks() + shut_for)
        if was_open:
            log.warning("profile.one-by-one host=%s seconds=%d", self._host, shut_for)
