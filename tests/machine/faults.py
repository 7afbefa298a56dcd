"""The faults of one run: how slow it is, and which of its calls fail."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import AccessDenied, ServiceDown, Throttled, Unanswered
from shared.microsoft365.http import LATE_WRITE
from tests.machine.history import Conditions, History
from tests.machine.jobs import NORMAL, Died, Job, Outcome

if TYPE_CHECKING:
    from tests.machine.world import World

# Only these can leave it unknown what SharePoint has; a failed read has no effect.
_DOUBTFUL = {"write", "write blob", "send"}
_GRAPH = {"photo_etag", "photo_etags", "user", "users", "user_and_photo", "page", "subscriptions"}
_SHAREPOINT = {"plan", "inspect", "find", "write"}
# The average length of a slow run's calls, in seconds; and how long a run freezes: less than a
# claim's length, a little more, and far more.
_PACES, _FREEZES = (0.2, 2.0, 20.0), (30.0, 85.0, 200.0, 900.0)
# No write begins this long after the claim was renewed (`held_claim`: FREE).
_TOO_LONG_TO_WRITE = 10.0


def service(call: str) -> str:
    if call in _GRAPH:
        return "graph"
    return "sharepoint" if call in _SHAREPOINT else "storage"


@dataclass
class Storm:
    """Until a time, this share of a service's calls fails."""

    key: str
    service: str
    rate: float
    until: float


class RunFaults:
    """
    Drawn before a run begins, from the seed and the run's *key*: so they stay the same, whatever
    else is left out of a history.
    """

    def __init__(
        self,
        seed: int,
        key: str,
        conditions: Conditions,
        history: History,
        world: World,
    ) -> None:
        self._chance = chance = random.Random(f"{seed}/{key}")
        self._key = key
        self._history = history
        self._world = world
        self._pace = chance.choice(_PACES) if chance.random() < conditions.slow else 0.0
        fails = chance.random() < conditions.luck
        self._fails_at = chance.randrange(1, 14) if fails else 0
        freezes = self._pace and chance.random() < 0.3
        self._freezes_at = chance.randrange(1, 14) if freezes else 0
        self.is_slow = bool(self._pace) and history.happens(
            f"{key}/slow", f"{key} is slow: {self._pace:.1f} s a call"
        )

    def outcome(self, job: Job, call: str) -> Outcome:
        """The outcome of the next call of *job*."""
        pause = self._pause(job, call) if self.is_slow else 0.0
        for storm in self._world.active_storms():
            if storm.service == service(call) and self._chance.random() < storm.rate:
                return self._fault(job, call, pause, _STORM_KINDS[storm.service])
        if job.calls == self._fails_at:
            return self._fault(job, call, pause, _KINDS[service(call)])
        return Outcome(pause) if pause else NORMAL

    def _pause(self, job: Job, call: str) -> float:
        pause = self._chance.expovariate(1 / self._pace)
        slow_renewal = call == "write blob" and pause > _TOO_LONG_TO_WRITE
        if self._pace == max(_PACES) or slow_renewal:
            # Its claim may expire, or its renewal take so long that no write may follow.
            self._world.disrupt(job)
        if job.calls == self._freezes_at:
            seconds = self._chance.choice(_FREEZES)
            if self._history.happens(f"{self._key}/freeze", f"{self._key} freezes before {call}"):
                self._world.disrupt(job)
                return pause + seconds
        return pause

    def _fault(self, job: Job, call: str, pause: float, kinds: Sequence[str]) -> Outcome:
        writes = call == "write" and self._chance.random() < 0.5
        what = self._chance.choice(_WRITES if writes else kinds)
        key, text = f"{self._key}/{job.calls}", f"{self._key} call {job.calls}, {call}: {what}"
        if not self._history.happens(key, text):
            return Outcome(pause) if pause else NORMAL
        if call in _DOUBTFUL or "dies" in what:
            self._world.disrupt(job)
        if what == "orphan":
            self._world.orphan(job)
            return Outcome(pause + self._chance.choice((0.0, *_FREEZES)) if self.is_slow else 0.0)
        late = self._chance.uniform(1.0, LATE_WRITE) if what == "late" else 0.0
        carried_out, error = _OUTCOMES[what]
        return Outcome(pause, carried_out, error(), late)


_OUTCOMES: dict[str, tuple[bool, Callable[[], BaseException]]] = {
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
# A failing service does not end a run.
_STORM_KINDS = {
    name: tuple(kind for kind in kinds if "dies" not in kind and kind != "orphan")
    for name, kinds in _KINDS.items()
}
_WRITES = ("late", "no answer after", "refused")
