"""A queue, as seen by the code that sends messages to it."""

from __future__ import annotations

from typing import Protocol


class DelayedQueue(Protocol):
    """Queue `photo-sync`, written with a delay, which the output binding cannot do."""

    def send(self, text: str, *, delay_seconds: float) -> None: ...
