"""What a seed decides: the conditions of its tenant, and the events of each day."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from shared.errors import (
    AccessDenied,
    NoMailbox,
    NoProfile,
    OtherHost,
    PhotoSyncError,
    Refused,
    Unanswered,
)

HOUR, DAY = 3600.0, 86_400.0
# Nothing happens in the rest of a day: whatever waits, for six hours at most, is processed.
TROUBLED = 15 * HOUR
INSTANCES = 3
SKEW = 120.0

# What one mailbox answers while others work; None: it works again.
TROUBLES: tuple[PhotoSyncError | None, ...] = (
    None,
    None,
    AccessDenied("graph answered 403."),
    Unanswered("graph answered 504."),
    NoMailbox("No mailbox."),
    Refused("graph answered 404 odd."),
)
PROFILE_TROUBLES: tuple[PhotoSyncError, ...] = (
    NoProfile("SharePoint has no profile."),
    OtherHost("SharePoint's geographies do not agree."),
)
# How often each kind of event happens: in a burst, and at other times of the day.
BURST = {"change": 8, "flip": 5, "replay": 2, "force": 1, "enable": 1, "damage": 2, "find": 2}
BURST |= {"erase": 2, "clear": 2, "audit": 2, "storm": 1}
SPARSE = {
    "change": 8,
    "damage": 3,
    "enable": 2,
    "exclude": 2,
    "group": 2,
    "rename": 1,
    "move": 1,
    "profile": 2,
    "trouble": 3,
    "leave": 2,
    "restore": 2,
    "restore-new": 2,
    "die": 2,
    "blackout": 1,
    "storm": 3,
    "audit": 2,
    "sweep": 2,
    "missed": 1,
    "lapse": 3,
    "expire": 1,
    "removed": 2,
    "reauthorize": 1,
    "renew": 2,
    "lose-upkeep": 5,
    "double": 2,
    "clear": 3,
    "erase": 2,
    "outage": 2,
    "flicker": 3,
    "clock": 1,
}

# The probability that on a day a photo changes during a sweep, and changes back.
STALE = 0.1


@dataclass(frozen=True)
class Event:
    """An event, `at` seconds after its day began; `number` and `seconds` select a variant."""

    key: str
    at: float
    kind: str
    user: int
    number: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.kind} user={self.user} number={self.number} seconds={self.seconds:.0f}"


@dataclass(frozen=True)
class Conditions:
    """
    How the tenant, the services and the host of one seed behave.

    `without`: the number of users who have no photo at first. `luck`: the probability of a fault in
    a run. `slow`: the probability that a run is slow. `timers`: whether sweeps and audits start on
    schedule. `crowded`: whether each POST of Graph also has notifications about other users.
    """

    users: int
    without: int
    etags_return: bool
    luck: float
    slow: float
    timers: bool
    hours_between: int
    profile_calls: int
    jitter: float
    refuses_second: bool
    hides: bool
    lingers: bool
    crowded: bool
    skews: tuple[float, ...]
    sparse: dict[str, int]

    @classmethod
    def of(cls, seed: int) -> Conditions:
        chance = random.Random(f"{seed}/temper")
        # A seed with everything finds less than one with a few things, and often.
        kinds = [kind for kind in SPARSE if chance.random() < 0.5] or ["change"]
        return cls(
            users=chance.choices((1, 2, 4, 7, 12, 40), (8, 8, 6, 4, 2, 1))[0],
            without=chance.choice((0, 0, 1, 7)),
            etags_return=chance.random() < 0.5,
            luck=chance.choice((0.0, 0.1, 0.3)),
            slow=chance.choice((0.0, 0.3, 0.8)),
            timers=chance.random() < 0.6,
            hours_between=chance.choice((1, 2)),
            profile_calls=chance.choice((0, 0, 12, 30)),
            jitter=chance.choice((0.0, 0.5, 0.99)),
            refuses_second=chance.random() < 0.5,
            hides=chance.random() < 0.3,
            lingers=chance.random() < 0.3,
            # By a separate generator: so the seeds in `found` stay valid, which are older.
            crowded=random.Random(f"{seed}/crowd 378").random() < 0.2,
            skews=tuple(chance.choice((0.0, 0.0, -SKEW / 2, SKEW / 2)) for _ in range(INSTANCES)),
            sparse={kind: SPARSE[kind] for kind in kinds},
        )


def day(seed: int, number: int, conditions: Conditions) -> list[Event]:
    """The events of a day, the first day being number 0."""
    chance = random.Random(f"{seed}/day/{number}")
    events: list[tuple[float, str, int]] = []
    for _ in range(chance.choice((1, 2, 4))):
        began, length = chance.uniform(0, TROUBLED - HOUR), chance.choice((20.0, 120.0, 1800.0))
        whose = chance.randrange(conditions.users)
        for _ in range(chance.randrange(2, 9)):
            moment = began + chance.uniform(0, length)
            events.append((moment, _drawn(chance, BURST), whose))
    for _ in range(chance.randrange(1, 10)):
        moment = chance.uniform(0, TROUBLED)
        kind = _drawn(chance, conditions.sparse)
        events.append((moment, kind, chance.randrange(conditions.users)))
    happens = [
        Event(
            f"{number}/{count}",
            moment,
            kind,
            user,
            chance.randrange(12),
            chance.choice((60.0, 900.0, 4 * HOUR)),
        )
        for count, (moment, kind, user) in enumerate(sorted(events))
    ]
    return sorted([*happens, *_stale(seed, number, conditions)], key=lambda event: event.at)


def _stale(seed: int, number: int, conditions: Conditions) -> list[Event]:
    """On some days, what a sweep has read is out of date by the time it is compared."""
    # By a separate generator: so the other events of a day do not depend on it.
    chance = random.Random(f"{seed}/stale/{number}")
    if chance.random() >= STALE:
        return []
    moment, user = chance.uniform(0, TROUBLED - HOUR), chance.randrange(conditions.users)
    return [Event(f"{number}/stale", moment, "stale", user, chance.randrange(12), 60.0)]


def _drawn(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


@dataclass
class History:
    """What has happened. Only the keys in `allowed` happen at all; None allows everything."""

    moment: Callable[[], str]
    allowed: frozenset[str] | None = None

    def __post_init__(self) -> None:
        # By key: when it happened, and a description.
        self.happened: dict[str, str] = {}

    def happens(self, key: str, what: str) -> bool:
        if self.allowed is not None and key not in self.allowed:
            return False
        self.happened.setdefault(key, f"{self.moment()}  {what}")
        return True
