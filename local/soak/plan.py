"""The plan of a soak: all events and their times, computed from one seed before anything starts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

SET, SAME, REMOVE = "set", "same", "remove"
KILL, START, FORGE, SWEEP, LAPSE = "kill", "start", "forge", "sweep", "lapse"
KILL_WORKER = "kill-worker"
DAMAGE, AUDIT = "damage", "audit"
CHANGES = (SET, SAME, REMOVE)

# How often each fault occurs among the faulty calls. Faults that make the product throttle all of
# its threads are the minority: each stops all calls of the process for seconds.
KINDS = (
    *("reset", "reset", "reset", "500", "500", "500", "half", "half", "lost-answer", "lost-answer"),
    *("timeout", "502", "429", "429", "503", "429-bare", "503-bare"),
)
# More users without a photo at the end would trigger the removal limit, which another test covers.
MOST_WITHOUT_PHOTO = 15


@dataclass(frozen=True)
class Scale:
    """The number of everything."""

    users: int = 200
    changes: int = 2000
    seconds: float = 180
    kills: int = 5
    worker_kills: int = 4
    forged: int = 30
    sweeps: int = 2
    lapses: int = 1
    damages: int = 40
    audits: int = 2
    rate: float = 0.2
    pictures: int = 60
    patience: float = 120


@dataclass(frozen=True)
class Event:
    """An event after *at* seconds; `user` and `picture` are numbers, -1 for none."""

    at: float
    kind: str
    user: int = -1
    picture: int = -1


def timeline(scale: Scale, seed: int) -> list[Event]:
    """All events in order; the same for the same *scale* and *seed*."""
    rng = random.Random(f"soak {seed}")
    events = [
        *_changes(scale, rng, first_photos(scale, seed)),
        *_deaths(scale, rng),
        *(Event(rng.uniform(0, scale.seconds), FORGE, n) for n in range(scale.forged)),
        *(Event(rng.uniform(0, scale.seconds), SWEEP) for _ in range(scale.sweeps)),
        *(Event(rng.uniform(0, scale.seconds), LAPSE) for _ in range(scale.lapses)),
        *(Event(rng.uniform(0, scale.seconds), AUDIT) for _ in range(scale.audits)),
        *_damages(scale, random.Random(f"strangers {seed}")),
        *_worker_deaths(scale, random.Random(f"workers {seed}")),
    ]
    return sorted(events, key=lambda event: event.at)


def first_photos(scale: Scale, seed: int) -> dict[int, int]:
    """Which users have a photo at the start, and which photo."""
    rng = random.Random(f"first {seed}")
    return {user: rng.randrange(scale.pictures) for user in range(0, scale.users, 2)}


def refusal(user_id: str) -> dict[str, Any]:
    """An order for the simulator: this mailbox refuses photo requests permanently."""
    told = {"fault": "403", "code": "ErrorAccessDenied", "message": "Access is denied."}
    return {"service": "graph", "path": f"/users/{user_id}/photo$", "next": 1_000_000, **told}


def fault_orders(scale: Scale, seed: int) -> list[dict[str, Any]]:
    """
    Orders for the simulator: any call to Graph and SharePoint may fail, including an admin's.

    A `timeout` ends after two seconds, so that threads are not blocked for most of the soak; a few
    last longer than the thirty seconds that the product waits.
    """
    odds = {"rate": scale.rate, "kinds": list(KINDS), "retryAfter": 0.4, "seconds": 2}
    endless = {"fault": "timeout", "seconds": 40}
    return [
        {"service": "graph", "seed": seed, **odds},
        {"service": "sharepoint", "seed": seed + 1, **odds},
        {"service": "graph", "path": "batch", "next": 1, **endless},
        {"service": "sharepoint", "path": "LThumb", "next": 1, **endless},
        {"service": "sharepoint", "path": "SetSingleValue", "next": 1, **endless},
        {"service": "sharepoint", "path": "ProcessQuery", "next": 1, **endless},
    ]


def _changes(scale: Scale, rng: random.Random, now: dict[int, int]) -> Iterator[Event]:
    """New photos, photos that change back, the same bytes again, and removals."""
    before: dict[int, int] = {}
    removed: set[int] = set()
    most = min(MOST_WITHOUT_PHOTO, scale.users // 4)
    for number in range(scale.changes):
        at = scale.seconds * number / scale.changes
        user, lot = rng.randrange(scale.users), rng.random()
        if user in now and lot < 0.1:
            yield Event(at, SAME, user, now[user])
        elif user in now and lot < 0.2 and len(removed) < most:
            removed.add(user)
            before[user] = now.pop(user)
            yield Event(at, REMOVE, user)
        else:
            back = before.get(user, -1) if lot < 0.35 else -1
            picture = back if back >= 0 else rng.randrange(scale.pictures)
            removed.discard(user)
            before[user] = now.get(user, picture)
            now[user] = picture
            yield Event(at, SET, user, picture)
    # Some stay without a photo, so that pictures have to be removed.
    left = min(max(2, scale.users // 20), most - len(removed), len(now))
    for user in rng.sample(sorted(now), left):
        yield Event(scale.seconds, REMOVE, user)


def _damages(scale: Scale, rng: random.Random) -> Iterator[Event]:
    """Edits of SharePoint's pictures by others, throughout; `picture` selects the edit."""
    for number in range(scale.damages):
        yield Event(rng.uniform(0, scale.seconds), DAMAGE, rng.randrange(scale.users), number)


def _deaths(scale: Scale, rng: random.Random) -> Iterator[Event]:
    """One death in each part of the time, never so late that no work follows it."""
    stretch = scale.seconds / (scale.kills + 1)
    for number in range(scale.kills):
        at = stretch * (number + rng.uniform(0.3, 1.0))
        yield Event(at, KILL)
        yield Event(at + rng.uniform(0.1, 0.2) * stretch, START)


def _worker_deaths(scale: Scale, rng: random.Random) -> Iterator[Event]:
    """Only the worker dies, whether or not the host is running then, with time to recover."""
    for _ in range(scale.worker_kills):
        yield Event(rng.uniform(0.05, 0.9) * scale.seconds, KILL_WORKER)
