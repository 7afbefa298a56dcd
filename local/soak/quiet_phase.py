"""Before and after the faults: brings everything to rest, lets time pass, sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from local.soak.progress import Standstill, under_way
from local.soak.world import World

# Longer than any claim (80 s), second check (10 min) and overdue message (1 h).
LONG = timedelta(hours=2)
_SECOND_LOOK = timedelta(minutes=11)
# Below the limit at which repairs stop.
_DAMAGES = 8
_TOLD_EVERY = 15.0
_PAUSE = 0.2


class Unsettled(Exception):
    """The cloud did not come to rest; the text says what was still open."""


class QuietPhase:
    """The work before the first fault, and between the last one and the verdict."""

    def __init__(self, world: World, say: Callable[[str], None], *, patience: float) -> None:
        self._world = world
        self._say = say
        self._patience = patience
        self.dropped = 0
        self.repaired = 0

    def begin(self) -> None:
        """The first run: a subscription, and a sweep that finds all users with a photo."""
        self._world.watcher.type_into_queue("renew", "photo-upkeep")
        self._until(self._is_at_rest)

    def settle(self) -> None:
        """
        Wait for the waiting messages, let hours pass, renew, make two sweeps, then an audit.

        The hours come first: a killed run's claim stays valid for minutes, and Graph may at any
        time retry a notification about this very user that it could not deliver while the host was
        down.
        """
        if not self._rests_within(self._patience):
            self._drop()
        self._pass(LONG)
        self._world.watcher.type_into_queue("renew", "photo-upkeep")
        self._world.park()
        self._until(self._is_at_rest)
        self._sweep()
        self._world.remove_mailbox(back=True)
        self._pass(_SECOND_LOOK)
        self._sweep()
        # Part of what is still damaged: everything else is at rest, so only an audit repairs it.
        for number in range(_DAMAGES):
            self._world.damage(number, number)
        self.repaired = self._audit()

    def end(self) -> None:
        """
        Wait for what may still queue a message, too, and change the verdict: Graph's retries, and
        the runs of killed hosts, which their workers finish.
        """
        self._until(lambda: not self._world.orphans())
        self._until(lambda: not self._world.watcher.undelivered())
        self._until(self._is_at_rest)

    def _pass(self, span: timedelta) -> None:
        blobs = self._world.let_pass(span)
        self._say(f"{span} pass: all times in {blobs} users' states are moved into the past")

    def _drop(self) -> None:
        """Clear the waiting messages, and those that current runs still put back."""

        def dropped() -> bool:
            self.dropped += self._world.clear_queues()
            return self._is_at_rest()

        self._until(dropped)
        self._say(
            f"{self.dropped} messages still waited after {self._patience:.0f} s; they are dropped, "
            "and the sweep has to make up for them"
        )

    def _sweep(self) -> None:
        """Complete one sweep: a new one, or a running one that is resumed."""
        before = self._world.watcher.sweep().get("finishedAt")
        self._world.watcher.type_into_queue("sweep", "photo-upkeep")
        self._until(lambda: self._world.watcher.sweep().get("finishedAt") not in ("", None, before))
        self._until(self._is_at_rest)
        found = self._world.watcher.sweep()
        changed = ", ".join(f"{why} {count}" for why, count in found["changed"].items())
        self._say(
            f"Sweep of {found['users']} users: queued {changed or 'none'}; "
            f"gone {found['gone']}, removals {found['removals']}"
        )

    def _audit(self) -> int:
        """
        Audit all users; returns the number of repairs.

        An audit whose message was dropped is resumed first; it has passed some users already.
        """
        taken_up = self._world.watcher.audit().get("status") == "running"
        return (self._audited() if taken_up else 0) + self._audited()

    def _audited(self) -> int:
        before = self._world.watcher.audit().get("finishedAt")
        self._world.console.order("audit", repair=True)
        self._until(lambda: self._world.watcher.audit().get("finishedAt") not in ("", None, before))
        self._until(self._is_at_rest)
        found = self._world.watcher.audit()
        self._say(
            f"Audit of {found['looked']} pictures: {found['differ']} differ, "
            f"{found['unclear']} unclear; repairs {found['repairs']}"
        )
        return int(found["differ"])

    def _until(self, done: Callable[[], bool]) -> None:
        """Wait for *done*, without a time limit as long as anything moves."""
        standstill, told = Standstill(), time.monotonic()
        while not done():
            if standstill.reached(self._world.log()):
                raise Unsettled(f"Nothing happens any more; {self._open()}")
            if time.monotonic() - told > _TOLD_EVERY:
                told = time.monotonic()
                self._say(self._open())
            # Queues and blobs send no signal for a change, and each check is a request to them.
            time.sleep(_PAUSE)

    def _rests_within(self, seconds: float) -> bool:
        """
        Whether everything comes to rest in *seconds*; if not, messages are dropped: no failure.
        """
        ends = time.monotonic() + seconds
        while not self._is_at_rest():
            if time.monotonic() > ends:
                return False
            # As above.
            time.sleep(_PAUSE)
        return True

    def _is_at_rest(self) -> bool:
        """
        Whether no message is queued, delayed or being processed.

        Three checks: at one of them, a message may be between two queues. A run whose message was
        dropped is in no queue, but may still put one back.
        """
        for _ in range(3):
            if under_way(self._world.log()) or self._world.queued():
                return False
            # So that the next check is independent.
            time.sleep(_PAUSE)
        return True

    def _open(self) -> str:
        runs = len(under_way(self._world.log()))
        return f"{self._world.queued()} messages queued, {runs} runs under way"
