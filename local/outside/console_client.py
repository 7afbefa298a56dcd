"""Sends an admin's orders through the console's API."""

from __future__ import annotations

from typing import Any

import requests

from local.cloud.endpoints import Endpoints


class ConsoleClient:
    """A caller with a function key."""

    def __init__(self, at: Endpoints) -> None:
        self._url = f"{at.functions}/api/console"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = at.ca
        self._session.headers["x-functions-key"] = at.key

    def order(self, what: str, **fields: Any) -> dict[str, Any]:
        """
        POST *fields* to *what*; returns the answer. Raises requests.RequestException if refused.
        """
        reply = self._session.post(f"{self._url}/{what}", json=fields, timeout=30)
        reply.raise_for_status()
        return dict(reply.json())
