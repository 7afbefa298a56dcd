"""
Writes several profile properties: in one request if SharePoint accepts that, else one by one.

ProcessQuery is documented and widely used, but no source says that an app may use it (facts:
sharepoint.md section 3). So nothing depends on it:

    it reports that all is written                   done
    it reports anything else, or cannot be parsed    each property by REST, which decides
    it asks us to wait, or does not answer           the message waits, as with REST

Only if REST has written what ProcessQuery refused is ProcessQuery at fault. Then it is not used for
hours: immediately if the endpoint does not exist, else after several users in a row. So one user's
error does not disable it for all. If it only ever asks us to wait, or never answers, it is not used
for minutes: reads have just worked on the same host.
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
from shared.sharepoint.errors import read_error
from shared.sharepoint.form_digest import FormDigest, is_refusal_of_digest

# Failures in a row, without a success in between.
MOST_FAILURES = 5
# In seconds: how long not to use it after refusals, and while the service is busy or slow.
REFUSED_FOR = 6 * 3_600.0
BUSY_FOR = 600.0
# Statuses of a host that does not serve such requests at all.
_NO_ENDPOINT = frozenset({404, 405, 501})

log = logging.getLogger("photosync")


class OneProperty(Protocol):
    """Writes one property; see SharePointClient."""

    def __call__(
        self, upn: str, name: str, value: str, *, before_write: Callable[[], None]
    ) -> None: ...


class SeveralProperties:
    """Writes to profiles on one admin host; threads may share it. Raises as SharePointClient."""

    def __init__(
        self, http: Http, digest: FormDigest, one: OneProperty, ticks: Callable[[], float]
    ) -> None:
        self._http = http
        self._digest = digest
        self._one = one
        self._breaker = _CircuitBreaker(http.audience, ticks)

    def write(
        self, upn: str, changes: Mapping[str, str], *, before_write: Callable[[], None]
    ) -> None:
        """Write *changes* in order; after an error, any part of them may be written."""
        account = account_name(upn)
        failures = None
        # A single property costs one call either way, and REST needs no digest.
        if len(changes) > 1 and process_query.can_carry(account, changes):
            failures = self._breaker.failures_in_a_row()
        if failures is None:
            self._one_by_one(upn, changes, before_write)
            return
        body = process_query.body(account, changes)
        refused_by = self._together(body, failures, before_write)
        if refused_by is None:
            self._breaker.succeeded()
            return
        # It may have written some of them; writing them again in the same order does no harm.
        self._one_by_one(upn, changes, before_write)
        self._breaker.failed(
            failures, unused_for=REFUSED_FOR, immediately=refused_by in _NO_ENDPOINT
        )

    def _one_by_one(
        self, upn: str, changes: Mapping[str, str], before_write: Callable[[], None]
    ) -> None:
        for name, value in changes.items():
            self._one(upn, name, value, before_write=before_write)

    def _together(self, body: bytes, failures: int, before_write: Callable[[], None]) -> int | None:
        """None if all is written, else the status of a response after which REST must decide."""
        try:
            reply = self._ask(body, before_write)
        except (AccessDenied, Refused):
            # Raised by the digest request: ProcessQuery's own errors come as responses.
            return 0
        except ServiceDown as error:
            # The error may also come from storage, which holds the claim.
            if error.service == self._http.service:
                self._breaker.failed(failures, unused_for=BUSY_FOR)
            raise
        busy = fault(reply, *read_error(reply.body))
        if isinstance(busy, Throttled | Unanswered):
            self._breaker.failed(failures, unused_for=BUSY_FOR)
            raise busy
        return self._answered(reply)

    def _answered(self, reply: Reply) -> int | None:
        try:
            # This includes "no such profile": we have just read it.
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


class _CircuitBreaker:
    """A circuit breaker for ProcessQuery on *host*, per process."""

    def __init__(self, host: str, ticks: Callable[[], float]) -> None:
        self._host = host
        self._ticks = ticks
        self._failures = 0
        self._unused_until = -1.0
        self._lock = threading.Lock()

    def failures_in_a_row(self) -> int | None:
        """The number of failures without a success since; None while ProcessQuery is not used."""
        with self._lock:
            return None if self._ticks() < self._unused_until else self._failures

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0

    def failed(self, failures: int, *, unused_for: float, immediately: bool = False) -> None:
        """Count a failure; concurrent ones count as one. *failures* is their number before."""
        with self._lock:
            self._failures = max(self._failures, failures + 1)
            if not immediately and self._failures < MOST_FAILURES:
                return
            was_in_use = self._ticks() >= self._unused_until
            self._unused_until = max(self._unused_until, self._ticks() + unused_for)
        if was_in_use:
            log.warning("profile.one-by-one host=%s seconds=%d", self._host, unused_for)
