"""The record of what reached the simulator and what left it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Journal:
    """What happened, in order: one entry for a request or a delivery."""

    def __init__(self) -> None:
        self._entries: list[dict[str, Any]] = []

    def append(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Keep *entry*, numbered from 1 as `n`; numbers never start again."""
        kept = {"n": len(self._entries) + 1, **entry}
        self._entries.append(kept)
        return kept

    def after(self, n: int) -> list[dict[str, Any]]:
        """The entries with a number above *n*."""
        return self._entries[max(n, 0) :]
