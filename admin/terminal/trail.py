"""Where a list has led so far: what comes page by page must come to an end."""

from __future__ import annotations

from admin.terminal.problems import Unsound

# Of 200 users each, two million.
MOST_PAGES = 10_000


class Trail:
    """The pages of one list, by whatever names the next one."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def go_on(self, following: str) -> None:
        """Note that *following* is read next. Raises Unsound if that leads nowhere."""
        if following in self._seen or len(self._seen) >= MOST_PAGES:
            raise Unsound(
                "The list has no end: a page named one as the next that was read before, or there "
                "were too many. What is above may not be all; repeat the command later."
            )
        self._seen.add(following)
