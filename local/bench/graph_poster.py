"""Posts notifications to the webhook as Graph does, many at once, and notes the answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import requests

from local.endpoints import Endpoints


class Answer(NamedTuple):
    """The status of a POST, and how long it took in seconds."""

    status: int
    seconds: float


class GraphPoster:
    """Threads may share it: each has a connection of its own."""

    def __init__(self, at: Endpoints) -> None:
        self._at = at
        self._url = f"{at.functions}/api/notifications?code={at.key}"
        self._local = threading.local()
        self.answers: list[Answer] = []

    def post(self, user_ids: Sequence[str]) -> None:
        """One POST with an item about each of the users."""
        body = {"value": [self._item(user_id) for user_id in user_ids]}
        began = time.perf_counter()
        reply = self._session().post(self._url, json=body, timeout=30)
        self.answers.append(Answer(reply.status_code, time.perf_counter() - began))

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.trust_env = False
            session.verify = self._at.ca
        return session

    def _item(self, user_id: str) -> dict[str, Any]:
        return {
            "changeType": "updated",
            "clientState": self._at.client_state,
            "tenantId": self._at.tenant_id,
            "subscriptionId": "00000000-0000-0000-0000-000000000001",
            "resource": f"Users/{user_id}",
            "resourceData": {"@odata.type": "#Microsoft.Graph.User", "id": user_id},
        }
