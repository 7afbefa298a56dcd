"""
Calls a Microsoft 365 service: token, timeouts, short retries, and translation of errors.

`Http.send` returns a Reply for any status. The client handles the statuses that it knows and turns
the rest into an error with `fault`. Short waits happen here; for long ones the message is deferred.
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
from shared.microsoft365.throttle import Budget, Throttle
from shared.session import OneHostSession
from shared.telemetry.calls import note

# A lost SYN is sent again after one second (RFC 6298).
CONNECT_SECONDS = 3
READ_SECONDS = 30
# For the response to a write of some 30 KB, which normally takes one second.
WRITE_SECONDS = 20
# How many seconds after we stop waiting a request may still take effect (inferred, not
# documented; sharepoint.md section 5).
LATE_WRITE = 30.0
# A write takes effect within these seconds of its beginning, as far as anything bounds it.
# CONNECT_SECONDS bounds each address tried, each step of the handshake and each piece sent: this
# allows for four. WRITE_SECONDS bounds the wait for the next byte of the headers, not for all of
# them; LATE_WRITE allows for a slower service, even if our run has died in the meantime. Reading
# the body does not count: the write is complete before it. Nothing bounds the DNS lookup, headers
# that drip, and a process that pauses between checking its claim and sending; eight seconds remain
# for these.
REQUEST_LIMIT = 4 * CONNECT_SECONDS + WRITE_SECONDS + 8 + LATE_WRITE
# For a longer wait the message is queued again, so that it does not block a worker thread.
LONGEST_WAIT_IN_PLACE = 10.0
TRIES = 3
# The largest body needed is one photo of 8 MB in base64 in a batch.
LARGEST_REPLY = 16 * 1024 * 1024
# SharePoint throttles unidentified callers first (sharepoint.md section 5, documented).
USER_AGENT = "NONISV|PhotoSync|PhotoSync/1.0"


class Tokens(Protocol):
    """The source of bearer tokens. Errors: AccessDenied, ServiceDown."""

    def bearer(self, audience: str, *, refused: str = "") -> str:
        """A token for the host *audience*; one other than *refused*, which got a 401."""
        ...


class Http:
    """Calls one host. Threads may share it: each has its own connection pool."""

    def __init__(
        self,
        service: str,
        audience: str,
        tokens: Tokens,
        *,
        throttle: Throttle | None = None,
        budget: Budget | None = None,
        concerns_one: Callable[[Reply], bool] = lambda reply: False,
        session: Callable[[], requests.Session] = OneHostSession,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ticks: Callable[[], float] = stopwatch.ticks,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """*concerns_one* recognizes a refusal about the one item requested; it pauses nothing."""
        self.audience = audience
        self.service = service
        self._tokens = tokens
        self._concerns_one = concerns_one
        self._throttle = throttle or Throttle(clock)
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
        Call *path* (with its query) and return the response, whatever its status.

        A 401 gets one fresh token. A 429 or 503 that concerns more than one item is retried, up to
        TRIES attempts besides that one, while the waits stay within ten seconds. No attempt begins
        before the service's throttle and budget allow it (else Throttled). A write calls
        *before_write* right before each attempt, and an error from that ends it; it waits at most
        WRITE_SECONDS for a response. Raises Unanswered if no response came, ServiceDown if it was
        truncated, Refused for a path that leads to another host.
        """
        url = self._url(path)
        refused, seconds_left, tries = "", LONGEST_WAIT_IN_PLACE, 0
        while True:
            seconds_left -= self._wait_for_turn(seconds_left)
            token = self._tokens.bearer(self.audience, refused=refused)
            if before_write:
                before_write()
            round_ = self._throttle.round()
            seconds = WRITE_SECONDS if before_write else READ_SECONDS
            reply = self._try(method, url, {**(headers or {}), **_identity(token)}, body, seconds)
            if reply.status == 401 and not refused:
                refused = token
                continue
            if reply.status not in {429, 503} or self._concerns_one(reply):
                # The headers of such a 429 describe that one item's limit, not the service's.
                self._throttle.answered({} if reply.status == 429 else reply.headers)
                return reply
            self._throttle.refused(reply.retry_after, begun_in=round_)
            tries += 1
            if tries == TRIES or self._throttle.paused_for() > seconds_left:
                return reply

    def path_of(self, link: str) -> str:
        """The path of a link to the next page, empty if there is none. Raises Refused."""
        if link and not link.startswith(self.audience + "/"):
            # Our token is for one host and must not reach another.
            raise Refused(f"{self.service} returned a link to a page on another host.")
        return link.removeprefix(self.audience)

    def _url(self, path: str) -> str:
        """The URL of *path* on our host; the path may come from a blob, a queue or a response."""
        refusal = Refused(f"A request to {self.service} was not sent: its URL is on another host.")
        # "@elsewhere/" and ".elsewhere/" after a host name mean another host, and so does
        # "//elsewhere/" once it is resolved. A URL that cannot be parsed is refused, too.
        if path[:1] != "/" or path[1:2] in {"/", "\\"}:
            raise refusal
        url = self.audience + path
        ours, theirs = urlsplit(self.audience), urlsplit(url)
        if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
            raise refusal
        return url

    def _wait_for_turn(self, most: float) -> float:
        """
        Wait until a call may be made; returns the seconds waited. Raises Throttled if the wait
        would exceed *most* seconds.
        """
        waited = 0.0
        while True:
            seconds, why = self._throttle.paused_for(), f"{self.service} asked PhotoSync to wait"
            if not seconds and self._budget:
                seconds, why = self._budget.take(), f"{self._budget.name} is used up"
            if not seconds:
                return waited
            if waited + seconds > most:
                sentence = f"{why} {in_words(seconds, self._clock())}."
                raise Throttled(sentence, retry_after=seconds, service=self.service)
            self._sleep(seconds)
            waited += seconds

    def rest(self, seconds: float) -> None:
        """Wait in place, for a caller that counts its own attempts."""
        self._sleep(seconds)

    def seconds_asked(self, headers: Mapping[str, str]) -> float | None:
        """The seconds that *headers* ask us to wait, by our clock; None if they do not."""
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
            # read1 returns what has arrived; iter_content would wait for 64 KB of a slow body.
            while piece := response.raw.read1(64 * 1024, decode_content=True):
                content += piece
                if len(content) > LARGEST_REPLY:
                    raise Refused(f"{self.service} sent more than {LARGEST_REPLY:,} bytes.")
                if self._ticks() > ends:
                    sentence = f"{self.service} took over {READ_SECONDS} s to answer."
                    raise ServiceDown(sentence, service=self.service)
        except urllib3.exceptions.HTTPError as error:
            sentence = f"{self.service} sent an incomplete response."
            raise ServiceDown(sentence, service=self.service) from error
        return bytes(content)


def _identity(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}
