"""
One way to call a Microsoft 365 service: token, time-outs, patience, and errors in our own words.

`Http.send` answers with a Reply whatever the status; a client that knows the status acts on it, and
everything else becomes an error by `fault`. Short waits happen here; long ones are the message's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

import requests
import urllib3

from shared import stopwatch
from shared.backoff import in_words, seconds_asked
from shared.errors import (
    Refused,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.microsoft365.reply import Reply
from shared.microsoft365.throttle import Budget, Gate
from shared.session import OneHostSession
from shared.telemetry.calls import note

# One SYN that is lost is sent again after a second (RFC 6298).
CONNECT_SECONDS = 3
READ_SECONDS = 30
# For an answer to a write of some 30 KB, which takes a second when all is well.
WRITE_SECONDS = 20
# How many seconds after we stopped waiting a request may still be carried out (inferred, not
# documented; sharepoint.md section 5).
LATE_WRITE = 30.0
# A write that has begun is carried out within these seconds, as far as anything bounds it.
# CONNECT_SECONDS bounds each address tried, each step of the handshake and each piece sent: four
# are allowed for. WRITE_SECONDS bounds the wait for the next byte of the headers, not for all of
# them; a service that is slower has LATE_WRITE, also when our run has died by then. Reading the
# body does not count: the write is done before it. Nothing bounds looking up the name, headers that
# drip, and a process that stops between looking at its claim and sending; eight seconds are left.
REQUEST_LIMIT = 4 * CONNECT_SECONDS + WRITE_SECONDS + 8 + LATE_WRITE
# Longer waits are a new message, so that a thread of the worker is not held.
LONGEST_WAIT_IN_PLACE = 10.0
TRIES = 3
# The largest body anybody needs is one photo of 8 MB in base64 in a batch.
LARGEST_REPLY = 16 * 1024 * 1024
# SharePoint throttles callers it cannot name first (sharepoint.md section 5, documented).
USER_AGENT = "NONISV|PhotoSync|PhotoSync/1.0"


class Tokens(Protocol):
    """Where bearer tokens come from. Errors: AccessDenied, ServiceDown."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        """A token for the host *audience*; one other than *refused*, which got a 401."""
        ...


class Http:
    """Calls one host. Threads may share it: each has a connection pool of its own."""

    def __init__(
        self,
        service: str,
        audience: str,
        tokens: Tokens,
        *,
        gate: Gate | None = None,
        budget: Budget | None = None,
        concerns_one: Callable[[Reply], bool] = lambda reply: False,
        session: Callable[[], requests.Session] = OneHostSession,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = stopwatch.ticks,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*concerns_one* tells a refusal that is about what was asked for, and closes no gate."""
        self.audience = audience
        self.service = service
        self._tokens = tokens
        self._concerns_one = concerns_one
        self._gate = gate or Gate(clock)
        self._budget = budget
        self._new_session = session
        self._clock = clock
        self._ticks = ticks
        self._sleep = sleep
        self._local = threading.local()

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        before_write: Callable[[], None] | None = None,
    ) -> Reply:
        """
        Call *path* (with its query) and return the answer, whatever its status.

        A 401 gets one fresh token. A 429 or 503 that does not concern one alone is tried again,
        three tries besides, where the waits stay within ten seconds. No try begins before the
        gate of the service opens or its budget allows it (Throttled). A write asks *before_write*
        right before each try, and what that raises ends it; it waits for WRITE_SECONDS at most.
        Raises Unanswered when no answer came, ServiceDown when it was cut, Refused for a path that
        leads to another host.
        """
        url = self._url(path)
        refused, patience, tries = "", LONGEST_WAIT_IN_PLACE, 0
        while True:
            patience -= self._wait_for_turn(patience)
            token = self._tokens.bearer(self.audience, refused=refused)
            if before_write:
                before_write()
            round_ = self._gate.round()
            seconds = WRITE_SECONDS if before_write else READ_SECONDS
            reply = self._try(method, url, {**(headers or {}), **_identity(token)}, body, seconds)
            if reply.status == 401 and not refused:
                refused = token
                continue
            if reply.status not in {429, 503} or self._concerns_one(reply):
                # One's own 429 tells what is left of one's own limit.
                self._gate.answered({} if reply.status == 429 else reply.headers)
                return reply
            self._gate.refused(reply.retry_after, begun_in=round_)
            tries += 1
            if tries == TRIES or self._gate.closed_for() > patience:
                return reply

    def path_of(self, link: str) -> str:
        """The path of a link to a next page, empty without one. Raises Refused."""
        if link and not link.startswith(self.audience + "/"):
            # Our token is for one host and goes to no other.
            raise Refused(f"{self.service} links to a page on another host.")
        return link.removeprefix(self.audience)

    def _url(self, path: str) -> str:
        """Where *path* is on our host; it may come from a blob, a queue or an answer."""
        refusal = Refused(f"{self.service} was to be asked at an address that is not its own.")
        # "@elsewhere/" and ".elsewhere/" behind a host name are another host, "//elsewhere/" is one
        # where somebody resolves it, and what cannot be parsed is nobody's address.
        if path[:1] != "/" or path[1:2] in {"/", "\\"}:
            raise refusal
        url = self.audience + path
        ours, asked = urlsplit(self.audience), urlsplit(url)
        if (asked.scheme, asked.netloc) != (ours.scheme, ours.netloc):
            raise refusal
        return url

    def _wait_for_turn(self, patience: float) -> float:
        """Wait until a call may be made; the seconds spent. Throttled beyond *patience*."""
        waited = 0.0
        while True:
            seconds, why = self._gate.closed_for(), f"{self.service} asks for patience"
            if not seconds and self._budget:
                seconds, why = self._budget.take(), f"{self._budget.name} is spent"
            if not seconds:
                return waited
            if waited + seconds > patience:
                sentence = f"{why} {in_words(seconds, self._clock())}."
                raise Throttled(sentence, retry_after=seconds, service=self.service)
            self._sleep(seconds)
            waited += seconds

    def rest(self, seconds: float) -> None:
        """Wait in place, for a caller that counts its own tries."""
        self._sleep(seconds)

    def seconds_asked(self, headers: Mapping[str, str]) -> float | None:
        """How long *headers* ask us to wait, by our clock; None when they do not."""
        return seconds_asked(headers, self._clock())

    def _try(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Reply:
        note(self.service)
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._new_session()
        try:
            response = session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=(CONNECT_SECONDS, seconds),
                stream=True,
            )
        except requests.RequestException as error:
            kind = type(error).__name__
            sentence = f"{self.service} did not answer ({kind})."
            raise Unanswered(sentence, service=self.service) from error
        with response:
            wait = self.seconds_asked(response.headers)
            content = self._read(response)
        return Reply(self.service, response.status_code, response.headers, content, wait)

    def _read(self, response: requests.Response) -> bytes:
        ends, content = self._ticks() + READ_SECONDS, bytearray()
        try:
            # read1 hands out what has come: iter_content would wait for 64 KB while a body drips.
            while piece := response.raw.read1(64 * 1024, decode_content=True):
                content += piece
                if len(content) > LARGEST_REPLY:
                    raise Refused(f"{self.service} sent more than {LARGEST_REPLY:,} bytes.")
                if self._ticks() > ends:
                    sentence = f"{self.service} took over {READ_SECONDS} s to answer."
                    raise ServiceDown(sentence, service=self.service)
        except urllib3.exceptions.HTTPError as error:
            sentence = f"{self.service} stopped in the middle of an answer."
            raise ServiceDown(sentence, service=self.service) from error
        return bytes(content)


def _identity(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}
