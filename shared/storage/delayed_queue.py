"""A queue as those who put messages into it know it."""

from __future__ import annotations

from typing import Protocol


class DelayedQueue(Protocol):
    """Queue `photo-sync`, written with a delay, which the output binding cannot."""

    def send(self, text: str, *, delay_seconds: float) -> None: ...
