"""How Graph treats a slow endpoint: it delays notifications, then drops them. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

WINDOW = timedelta(minutes=10)
PROMPT, DELAYED, DROPPED = "prompt", "delayed", "dropped"


class Pace:
    """
    The answers of one endpoint in the last ten minutes.

    Documented (facts/graph.md section 3): with more than 10 % over 3 s, new notifications are
    delayed by ten minutes; with more than 15 % over 10 s, they are dropped for ten minutes.
    Assumed: a timeout counts as an answer over its budget, and the state depends only on the
    window, so it ends when slow answers leave the window.
    """

    def __init__(self) -> None:
        self._answers: list[tuple[datetime, float]] = []

    def answered(self, now: datetime, seconds: float) -> None:
        self._answers.append((now, seconds))

    def verdict(self, now: datetime) -> str:
        # Excludes future answers, which remain after the clock was set back.
        self._answers = [one for one in self._answers if now - WINDOW < one[0] <= now]
        total = len(self._answers)
        if sum(seconds >= 10 for _, seconds in self._answers) > 0.15 * total:
            return DROPPED
        if sum(seconds >= 3 for _, seconds in self._answers) > 0.10 * total:
            return DELAYED
        return PROMPT
