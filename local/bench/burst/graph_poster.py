"""Posts notifications to the webhook as Graph does, but never twice."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import requests

from local.bench.burst.notification_body import notification_body
from local.cloud.endpoints import Endpoints

# Longer than Graph waits, so that a slow answer is measured and not lost.
_TIMEOUT = 30


class Answer(NamedTuple):
    """The status of a POST, 0 without an answer, and its duration in seconds."""

    status: int
    seconds: float

    @property
    def accepted(self) -> bool:
        return 200 <= self.status < 300


class GraphPoster:
    """Threads may share it: each has its own connection."""

    def __init__(
        self, at: Endpoints, *, session: Callable[[], requests.Session] = requests.Session
    ) -> None:
        self._at = at
        self._new_session = session
        self._url = f"{at.functions}/api/notifications?code={at.key}"
        self._local = threading.local()

    def post(self, user_ids: Iterable[str]) -> Answer:
        """Post one item about each of the users."""
        body = notification_body(
            user_ids, tenant_id=self._at.tenant_id, client_state=self._at.client_state
        )
        began, status = time.perf_counter(), 0
        # Any other error is not an answer of the app, and ends the measurement.
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            status = self._session().post(self._url, data=body, timeout=_TIMEOUT).status_code
        return Answer(status, time.perf_counter() - began)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._new_session()
            session.trust_env = False
            session.verify = self._at.ca
            session.headers["Content-Type"] = "application/json"
        return session
