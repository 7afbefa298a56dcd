"""Before the faults and after them: brings everything to rest, lets time pass, sweeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

from local.soak.town import Town

# More than any claim (5 min), second look (10 min) and overdue message (1 h) takes.
LONG = timedelta(hours=2)
_SECOND_LOOK = timedelta(minutes=11)
_TOLD_EVERY = 15.0


class Unsettled(Exception):
    """The cloud did not come to rest; the text says what was still open."""


class Calm:
    """What happens before the first fault, and between the last one and the verdict."""

    def __init__(self, town: Town, say: Callable[[str], None], *, patience: float) -> None:
        self._town = town
        self._say = say
        self._patience = patience
        self.dropped = 0

    def begin(self) -> None:
        """The first run: a subscription, and a sweep that finds everybody who has a photo."""
        self._town.watcher.type_into_queue("renew", "photo-upkeep")
        self._rest(180)

    def settle(self) -> None:
        """Wait for the messages that wait, renew, then make two sweeps, hours and minutes apart."""
        if not self._empty_within(self._patience):
            self._drop()
        self._town.watcher.type_into_queue("renew", "photo-upkeep")
        self._rest(60)
        for span in (LONG, _SECOND_LOOK):
            blobs = self._town.let_pass(span)
            self._say(f"{span} pass: every moment in {blobs} users' states is moved to the past")
            self._sweep()

    def _drop(self) -> None:
        """Lose what still waits, and what runs that are under way yet put back."""
        deadline = time.monotonic() + 60
        self.dropped = self._town.clear_queues()
        while not self._empty_within(3):
            if time.monotonic() > deadline:
                raise Unsettled("Messages keep coming, though nobody sends any")
            self.dropped += self._town.clear_queues()
        self._say(
            f"{self.dropped} messages still waited after {self._patience:.0f} s; they are dropped, "
            "and the sweep has to make up for them"
        )

    def _sweep(self) -> None:
        """One sweep to its end: a new one, or that which was running and is taken up again."""
        before = self._town.watcher.sweep().get("finishedAt")
        self._town.watcher.type_into_queue("sweep", "photo-upkeep")
        deadline = time.monotonic() + 60
        while (found := self._town.watcher.sweep()).get("finishedAt") in ("", None, before):
            if time.monotonic() > deadline:
                raise Unsettled(f"No sweep was finished within a minute: {found}")
            # The log of a sweep is a blob: it can be looked at, and nobody tells of a change.
            time.sleep(0.2)
        self._rest(180)
        changed = ", ".join(f"{why} {count}" for why, count in found["changed"].items())
        self._say(
            f"Sweep of {found['users']} users: queued {changed or 'nobody'}; "
            f"gone {found['gone']}, removals {found['removals']}"
        )

    def _rest(self, seconds: float) -> None:
        if not self._empty_within(seconds):
            raise Unsettled(f"{self._town.queued()} messages are queued after {seconds:.0f} s")

    def _empty_within(self, seconds: float) -> bool:
        """Whether no message is queued, delayed or being worked off before so many seconds."""
        began = told = time.monotonic()
        quiet = 0
        # Three looks: a message may be between two queues at one of them.
        while quiet < 3:
            left, now = self._town.queued(), time.monotonic()
            quiet = 0 if left else quiet + 1
            if left and now - began > seconds:
                return False
            if left and now - told > _TOLD_EVERY:
                told = now
                self._say(f"{left} messages queued")
            # A queue tells nobody that it is empty, and each look is a request to it.
            time.sleep(0.2)
        return True
