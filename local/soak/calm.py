"""Before the faults and after them: brings everything to rest, lets time pass, sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

from local.soak.progress import Standstill, under_way
from local.soak.town import Town
from local.soak.verdict import Row

# More than any claim (80 s), second look (10 min) and overdue message (1 h) takes.
LONG = timedelta(hours=2)
_SECOND_LOOK = timedelta(minutes=11)
# Fewer than pull the brake of repairs.
_DAMAGES = 8
# What Graph posts again comes after ever longer pauses.
_LOOKS = 3
_TOLD_EVERY = 15.0
_PAUSE = 0.2


class Unsettled(Exception):
    """The cloud did not come to rest; the text says what was still open."""


class Calm:
    """What happens before the first fault, and between the last one and the verdict."""

    def __init__(self, town: Town, say: Callable[[str], None], *, patience: float) -> None:
        self._town = town
        self._say = say
        self._patience = patience
        self.dropped = 0
        self.repaired = 0

    def begin(self) -> None:
        """The first run: a subscription, and a sweep that finds everybody who has a photo."""
        self._town.watcher.type_into_queue("renew", "photo-upkeep")
        self._until(self._is_at_rest)

    def settle(self) -> None:
        """
        Wait for the messages that wait, let hours pass, renew, make two sweeps, then an audit.

        The hours come first: a killed run's claim is live for minutes, and Graph may post again
        at any time what it could not deliver while the host was dead, about this very user.
        """
        if not self._rests_within(self._patience):
            self._drop()
        self._pass(LONG)
        self._town.watcher.type_into_queue("renew", "photo-upkeep")
        self._town.park()
        self._until(self._is_at_rest)
        self._sweep()
        self._town.vanish(back=True)
        self._pass(_SECOND_LOOK)
        self._sweep()
        # Among what is damaged still: all else is at rest, so nothing but an audit repairs it.
        for number in range(_DAMAGES):
            self._town.damage(number, number)
        self.repaired = self._audit()

    def judged(self, verdict: Callable[[], Sequence[Row]]) -> Sequence[Row]:
        """
        The *verdict*, taken again at the next rest where something was not right.

        Graph posts again at any time what it could not deliver, and so while the judge looks. What
        is wrong at rest stays wrong, and a message that stays in a queue ends as Unsettled.
        """
        rows = verdict()
        for _ in range(_LOOKS):
            if all(row.right for row in rows):
                break
            self._until(self._is_at_rest)
            rows = verdict()
        return rows

    def _pass(self, span: timedelta) -> None:
        blobs = self._town.let_pass(span)
        self._say(f"{span} pass: every moment in {blobs} users' states is moved to the past")

    def _drop(self) -> None:
        """Lose what still waits, and what runs that are under way yet put back."""

        def dropped() -> bool:
            self.dropped += self._town.clear_queues()
            return self._is_at_rest()

        self._until(dropped)
        self._say(
            f"{self.dropped} messages still waited after {self._patience:.0f} s; they are dropped, "
            "and the sweep has to make up for them"
        )

    def _sweep(self) -> None:
        """One sweep to its end: a new one, or that which was running and is taken up again."""
        before = self._town.watcher.sweep().get("finishedAt")
        self._town.watcher.type_into_queue("sweep", "photo-upkeep")
        self._until(lambda: self._town.watcher.sweep().get("finishedAt") not in ("", None, before))
        self._until(self._is_at_rest)
        found = self._town.watcher.sweep()
        changed = ", ".join(f"{why} {count}" for why, count in found["changed"].items())
        self._say(
            f"Sweep of {found['users']} users: queued {changed or 'nobody'}; "
            f"gone {found['gone']}, removals {found['removals']}"
        )

    def _audit(self) -> int:
        """
        An audit of everybody and what it has repaired; how many that were.

        One whose message was dropped is taken up again first, which has passed some users already.
        """
        taken_up = self._town.watcher.audit().get("status") == "running"
        return (self._audited() if taken_up else 0) + self._audited()

    def _audited(self) -> int:
        before = self._town.watcher.audit().get("finishedAt")
        self._town.console.order("audit", repair=True)
        self._until(lambda: self._town.watcher.audit().get("finishedAt") not in ("", None, before))
        self._until(self._is_at_rest)
        found = self._town.watcher.audit()
        self._say(
            f"Audit of {found['looked']} pictures: {found['differ']} differ, "
            f"{found['unclear']} unclear; repairs {found['repairs']}"
        )
        return int(found["differ"])

    def _until(self, done: Callable[[], bool]) -> None:
        """Wait for *done*, however long it takes while anything moves."""
        standstill, told = Standstill(), time.monotonic()
        while not done():
            if standstill.reached(self._town.log()):
                raise Unsettled(f"Nothing moves any more; {self._open()}")
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                self._say(self._open())
            # Queues and blobs tell nobody of a change, and each look is a request to them.
            time.sleep(_PAUSE)

    def _rests_within(self, seconds: float) -> bool:
        """Whether all comes to rest before so many seconds; if not, it is dropped, no failure."""
        ends = time.monotonic() + seconds
        while not self._is_at_rest():
            if time.monotonic() > ends:
                return False
            # As above.
            time.sleep(_PAUSE)
        return True

    def _is_at_rest(self) -> bool:
        """
        Whether no message is queued, delayed or being worked off.

        Three looks: a message may be between two queues at one of them. A run whose message was
        dropped is in no queue; it may yet put one back.
        """
        for _ in range(3):
            if under_way(self._town.log()) or self._town.queued():
                return False
            # For the next look to be another one.
            time.sleep(_PAUSE)
        return True

    def _open(self) -> str:
        runs = len(under_way(self._town.log()))
        return f"{self._town.queued()} messages queued, {runs} runs under way"
