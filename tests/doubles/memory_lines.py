"""The log of orders in memory: lines can only be appended."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from shared.errors import Full, PhotoSyncError
from shared.orders.order_log import OrderLog


class MemoryLines:
    """See AppendBlobs. With `error` every write fails; a file holds at most *full* lines."""

    def __init__(self, full: int = 50_000) -> None:
        self.files: dict[str, list[bytes]] = {}
        self.error: PhotoSyncError | None = None
        self._full = full

    def append(self, name: str, line: bytes, *, make: bool = True) -> int:
        if self.error:
            raise self.error
        if len(self.files.get(name, [])) >= self._full or not (make or name in self.files):
            raise Full(f"{name} takes no more lines.")
        self.files.setdefault(name, []).append(line)
        return len(self.files[name])

    def read(self, name: str, most: int) -> bytes:
        return b"".join(self.files.get(name, []))[:most]

    def names(self) -> list[str]:
        return sorted(self.files)

    @property
    def parsed(self) -> list[dict[str, Any]]:
        """Every line of every file."""
        return [json.loads(line) for name in self.names() for line in self.files[name]]


def in_memory(clock: Callable[[], datetime], lines: MemoryLines | None = None) -> OrderLog:
    """A log of orders in *lines*, or in lines that the test does not read."""
    return OrderLog(lines or MemoryLines(), clock=clock)
