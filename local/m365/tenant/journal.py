"""The record of all requests that the simulator received and sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Journal:
    """What happened, in order: one entry per request or delivery."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def append(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Append *entry* with its number `n`, from 1; numbers are never reused."""
        kept = {"n": len(self._entries) + 1, **entry}
        self._entries.append(kept)
        return kept

    def after(self, n: int) -> list[dict[str, Any]]:
        """The entries with a number above *n*."""
        return self._entries[max(n, 0) :]
