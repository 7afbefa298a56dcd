"""Records throttling in a run's answers: names of headers and statuses, no values."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import requests

from shared.session import OneHostSession

# Prefixes of known or possible throttling headers (sharepoint.md section 5, graph.md section 4).
_BEGIN = ("retry-after", "ratelimit", "x-ratelimit", "x-ms-throttle", "x-ms-retry", "x-throttle")
_REFUSALS = frozenset({429, 503})


class Traffic:
    """Thread-safe counters."""

    def __init__(self) -> None:
        self.headers: Counter[str] = Counter()
        self.refusals: Counter[int] = Counter()
        self.answers = 0
        self._lock = threading.Lock()

    def session(self) -> requests.Session:
        """A session whose answers are counted here."""
        return _Counted(self)

    def count(self, response: requests.Response) -> None:
        names = [name.lower() for name in response.headers]
        with self._lock:
            self.answers += 1
            if response.status_code in _REFUSALS:
                self.refusals[response.status_code] += 1
            self.headers.update(name for name in names if name.startswith(_BEGIN))


class _Counted(OneHostSession):
    def __init__(self, traffic: Traffic) -> None:
        super().__init__()
        self._traffic = traffic

    def request(self, *args: Any, **more: Any) -> requests.Response:
        response = super().request(*args, **more)
        self._traffic.count(response)
        return response
