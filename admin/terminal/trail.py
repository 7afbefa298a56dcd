"""Makes sure that a list read page by page comes to an end."""

from __future__ import annotations

from admin.terminal.problems import Unsound

# Two million users, at 200 a page.
MOST_PAGES = 10_000


class Trail:
    """The pages read so far of one list, by their tokens or links."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def go_on(self, following: str) -> None:
        """Note that *following* is read next. Raises Unsound if the list would not end."""
        if following in self._seen or len(self._seen) >= MOST_PAGES:
            raise Unsound(
                "The list does not end: a page linked to an earlier page, or there were too many. "
                "The output may be incomplete; repeat the command later."
            )
        self._seen.add(following)
