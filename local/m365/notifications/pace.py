"""How Graph treats an endpoint that answers slowly: it delays, then drops. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
PROMPT, DELAYED, DROPPED = "prompt", "delayed", "dropped"


class Pace:
    """
    The answers of one endpoint in the last ten minutes.

    Documented (facts/graph.md section 3): more than 10 % over 3 s, and new notifications are
    delayed ten minutes; more than 15 % over 10 s, and they are dropped for ten minutes.
    Assumed: a time-out counts as an answer over its budget, and ten minutes are judged by what
    the window holds, so that the state ends when slow answers leave it.
    """

    def __init__(self) -> None:
        self._answers: list[tuple[datetime, float]] = []

    def answered(self, now: datetime, seconds: float) -> None:
        self._answers.append((now, seconds))

    def verdict(self, now: datetime) -> str:
        # Also without the future, which a clock that was set back leaves behind.
        self._answers = [one for one in self._answers if now - WINDOW < one[0] <= now]
        total = len(self._answers)
        if sum(seconds >= 10 for _, seconds in self._answers) > 0.15 * total:
            return DROPPED
        if sum(seconds >= 3 for _, seconds in self._answers) > 0.10 * total:
            return DELAYED
        return PROMPT
