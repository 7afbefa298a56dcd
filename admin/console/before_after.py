"""Each user's picture before and after, fetched no faster than the app allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from admin.console.console import Console
from admin.terminal.fields import Fields
from admin.terminal.output import Report
from admin.terminal.problems import Busy, NotFound, Problem, Unreachable

# At most this many people with pictures: two each, about 6 KB a picture.
MOST_PEOPLE = 250
_TRIES = 10
# Stop after this many failed connections in a row.
_IN_VAIN = 3
# Used if a busy app sends no Retry-After.
_USUAL_WAIT = 5.0


# The reason that needs no words beside an empty frame.
_PLAINLY_NONE = "no-photo"


class Picture(NamedTuple):
    """A JPEG, or none and why; not `known` if it could not be fetched."""

    content: bytes = b""
    why: str = ""
    known: bool = True


class Change(NamedTuple):
    """A person whose picture would change, and both pictures; None if not fetched."""

    person: Fields
    before: Picture | None = None
    after: Picture | None = None

    @property
    def is_known(self) -> bool:
        return all(each is None or each.known for each in (self.before, self.after))


class PictureFetcher:
    """Fetches pictures from the app one by one, for *seconds* at most."""

    def __init__(
        self,
        console: Console,
        *,
        seconds: float,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._console = console
        self._ends = clock() + seconds
        self._say = say
        self._clock = clock
        self._pause = pause
        self._was_reached = False
        self._in_vain = 0

    def changes(self, people: Sequence[Fields], report: Report) -> list[Change]:
        """
        Each of *people*; the first MOST_PEOPLE with both pictures, as long as time allows.

        Raises Unreachable if the app was never reached; a later failure keeps what was fetched.
        """
        found: list[Change] = []
        most = min(MOST_PEOPLE, len(people))
        for number, person in enumerate(people):
            if number >= MOST_PEOPLE or self._clock() >= self._ends:
                found.append(Change(person))
                continue
            before = self._picture(person, "sharepoint")
            after = (
                Picture()
                if person.text("wouldChange") == "removal"
                else self._picture(person, "exchange")
            )
            found.append(Change(person, before, after))
            report(number + 1, most)
        return found

    def _picture(self, person: Fields, side: str) -> Picture:
        try:
            return Picture(self._retried(person.text("userId"), side))
        except NotFound as none:
            return Picture(why="" if none.code == _PLAINLY_NONE else str(none))
        except Unreachable as problem:
            if not self._was_reached:
                raise
            self._in_vain += 1
            if self._in_vain == _IN_VAIN:
                self._say(f"{problem} The remaining pictures are left out.")
                self._ends = self._clock()
            return Picture(why=str(problem), known=False)
        except Problem as problem:
            return Picture(why=str(problem), known=False)

    def _retried(self, user: str, side: str) -> bytes:
        """The picture; waits when the app is busy, up to a limit. Raises Problem."""
        for still_to_come in reversed(range(_TRIES)):
            try:
                photo = self._console.photo(user, side)
                self._was_reached, self._in_vain = True, 0
                return photo
            except Busy as busy:
                asked = busy.retry_after
                seconds = _USUAL_WAIT if asked is None else asked
                if not still_to_come or self._clock() + seconds > self._ends:
                    raise
                self._say(f"{busy} Retrying in {seconds:.0f} s.")
                self._pause(seconds)
        raise AssertionError("the last try returns or raises")
