"""Posts notifications to the webhook as Graph does: concurrently, with retries."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import requests

from local.bench.burst.notification_body import notification_body
from local.cloud.endpoints import Endpoints

# Longer than Graph waits, so that a slow machine does not get everything twice.
_TIMEOUT = 30
# Exponential, up to four hours (graph.md section 3, documented); here only minutes.
_PAUSES = (2, 4, 8, 16, 32, 64, 128)


class Answer(NamedTuple):
    """The status of one try, 0 without an answer, and its duration in seconds."""

    status: int
    seconds: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class GraphPoster:
    """Threads may share it: each has its own connection."""

    def __init__(
        self,
        at: Endpoints,
        *,
        session: Callable[[], requests.Session] = requests.Session,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._at = at
        self._new_session = session
        self._sleep = sleep
        self._url = f"{at.functions}/api/notifications?code={at.key}"
        self._local = threading.local()
        self.answers: list[Answer] = []

    def post(self, user_ids: Sequence[str]) -> bool:
        """Post an item about each of the users until it is accepted; False if it never is."""
        body = notification_body(
            user_ids, tenant_id=self._at.tenant_id, client_state=self._at.client_state
        )
        for pause in (0, *_PAUSES):
            self._sleep(pause)
            answer = self._try(body)
            self.answers.append(answer)
            if answer.accepted:
                return True
        return False

    def _try(self, body: bytes) -> Answer:
        began, status = time.perf_counter(), 0
        # Any other error is not an answer of the app, and ends the burst.
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            status = self._send(body)
        return Answer(status, time.perf_counter() - began)

    def _send(self, body: bytes) -> int:
        headers = {"Content-Type": "application/json"}
        session = self._session()
        return session.post(self._url, data=body, headers=headers, timeout=_TIMEOUT).status_code

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._new_session()
            session.trust_env = False
            session.verify = self._at.ca
        return session
