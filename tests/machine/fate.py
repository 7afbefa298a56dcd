"""What befalls one run: how slow it is, and at which of its calls it has bad luck."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.errors import AccessDenied, ServiceDown, Throttled, Unanswered
from shared.microsoft365.http import LATE_WRITE
from tests.machine.history import History, Temper
from tests.machine.jobs import GO, Died, Job, Order

# Reading has no effect: whatever becomes of it leaves no doubt about SharePoint.
_DOUBTFUL = {"write", "write blob", "send"}
_GRAPH = {"photo_etag", "photo_etags", "user", "users", "user_and_photo", "page", "subscriptions"}
_SHAREPOINT = {"plan", "inspect", "find", "write"}
# How long the calls of a slow run take on average, in seconds; and for how long one freezes: less
# than a claim lives, a little more, and far more.
_PACES, _FREEZES = (0.2, 2.0, 20.0), (30.0, 85.0, 200.0, 900.0)
# No write begins so long after the claim was renewed (`held_claim`: FREE).
_TOO_LONG_TO_WRITE = 10.0


def service(call: str) -> str:
    if call in _GRAPH:
        return "graph"
    return "sharepoint" if call in _SHAREPOINT else "storage"


@dataclass
class Storm:
    """For a while so many of a service's calls fail."""

    key: str
    service: str
    rate: float
    until: float


class Host(Protocol):
    """What a fate does to others than the run itself."""

    def raging(self) -> list[Storm]:
        """The storms of this moment."""
        ...

    def orphan(self, job: Job) -> None:
        """Take a run for dead, which goes on."""
        ...

    def disturb(self, job: Job) -> None:
        """What this run did is in doubt: another may have to do it again."""
        ...


class Fate:
    """
    Drawn before a run begins, from its seed and its *key*, so that it stays the same whatever else
    is left out of a history.
    """

    def __init__(
        self,
        seed: int,
        key: str,
        temper: Temper,
        history: History,
        host: Host,
    ) -> None:
        self._chance = chance = random.Random(f"{seed}/{key}")
        self._key = key
        self._history = history
        self._host = host
        self._pace = chance.choice(_PACES) if chance.random() < temper.slow else 0.0
        unlucky = chance.random() < temper.luck
        self._unlucky_at = chance.randrange(1, 14) if unlucky else 0
        freezes = self._pace and chance.random() < 0.3
        self._freezes_at = chance.randrange(1, 14) if freezes else 0
        self.is_slow = bool(self._pace) and history.happens(
            f"{key}/slow", f"{key} takes its time: {self._pace:.1f} s a call"
        )

    def order(self, job: Job, call: str) -> Order:
        """What becomes of the next call of *job*."""
        pause = self._pause(job, call) if self.is_slow else 0.0
        for storm in self._host.raging():
            if storm.service == service(call) and self._chance.random() < storm.rate:
                return self._bad_luck(job, call, pause, _OF_STORMS[storm.service])
        if job.calls == self._unlucky_at:
            return self._bad_luck(job, call, pause, _KINDS[service(call)])
        return Order(pause) if pause else GO

    def _pause(self, job: Job, call: str) -> float:
        pause = self._chance.expovariate(1 / self._pace)
        slow_renewal = call == "write blob" and pause > _TOO_LONG_TO_WRITE
        if self._pace == max(_PACES) or slow_renewal:
            # Its claim may run out, or take so long to renew that nothing may be written by it.
            self._host.disturb(job)
        if job.calls == self._freezes_at:
            seconds = self._chance.choice(_FREEZES)
            if self._history.happens(f"{self._key}/freeze", f"{self._key} freezes before {call}"):
                self._host.disturb(job)
                return pause + seconds
        return pause

    def _bad_luck(self, job: Job, call: str, pause: float, kinds: Sequence[str]) -> Order:
        writes = call == "write" and self._chance.random() < 0.5
        what = self._chance.choice(_WRITES if writes else kinds)
        key, told = f"{self._key}/{job.calls}", f"{self._key} call {job.calls}, {call}: {what}"
        if not self._history.happens(key, told):
            return Order(pause) if pause else GO
        if call in _DOUBTFUL or "dies" in what:
            self._host.disturb(job)
        if what == "orphan":
            self._host.orphan(job)
            return Order(pause + self._chance.choice((0.0, *_FREEZES)) if self.is_slow else 0.0)
        late = self._chance.uniform(1.0, LATE_WRITE) if what == "late" else 0.0
        carried_out, error = _LUCK[what]
        return Order(pause, carried_out, error(), late)


_LUCK: dict[str, tuple[bool, Callable[[], BaseException]]] = {
    "dies before": (False, Died),
    "dies after": (True, Died),
    "throttled": (False, lambda: Throttled("Slow down.", service="graph")),
    "throttled for long": (False, lambda: Throttled("Come back later.", retry_after=900)),
    "broken": (False, lambda: ServiceDown("Broken.")),
    "broken after": (True, lambda: ServiceDown("Broken.")),
    "no answer": (False, lambda: Unanswered("No answer.")),
    "no answer after": (True, lambda: Unanswered("No answer.")),
    "late": (True, lambda: Unanswered("No answer.")),
    "refused": (False, lambda: AccessDenied("No.")),
}
_ANYWHERE = ("dies before", "dies after", "orphan", "broken")
_KINDS = {
    "graph": (*_ANYWHERE, "throttled", "throttled for long", "no answer", "no answer after"),
    "sharepoint": (*_ANYWHERE, "throttled", "throttled for long", "no answer"),
    "storage": (*_ANYWHERE, "broken after"),
}
# A service that fails kills nobody.
_OF_STORMS = {
    name: tuple(kind for kind in kinds if "dies" not in kind and kind != "orphan")
    for name, kinds in _KINDS.items()
}
_WRITES = ("late", "no answer after", "refused")
