"""The shortest history that still fails, found by leaving things out and replaying it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.machine.instance import Parts
from tests.machine.simulation import Failure, Simulation

# At most so many replays of a history; each takes a fraction of a second.
MOST_REPLAYS = 400
# Longer histories find little more, and are slower to shrink.
DAYS_A_SEED = 3
# What CI plays: at least so many days, with so many seeds.
DAYS, FIRST_SEED, SEEDS = 2000, 1, 500


@dataclass(frozen=True)
class Counterexample:
    """What is wrong at the end of `days`, and what happened before: key and text, in order."""

    seed: int
    days: int
    what: str
    happened: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        lines = [f"Seed {self.seed}: {self.what}", *(f"  {text}" for _, text in self.happened)]
        return "\n".join(lines)


def play(
    seed: int, days: int, parts: Parts, allowed: frozenset[str] | None = None
) -> tuple[float, Counterexample | None]:
    """The number of days without a failure, and the failure of the next one."""
    simulation = Simulation(seed, parts, allowed)
    try:
        return simulation.play(days), None
    except Failure as failure:
        happened = tuple(simulation.world.history.happened.items())
        return simulation.days, Counterexample(seed, simulation.number + 1, str(failure), happened)


def digest(seed: int) -> str:
    """A fingerprint of a seed's whole history and result, with each failed call and each blob."""
    simulation = Simulation(seed, Parts())
    simulation.play(DAYS_A_SEED)
    world = simulation.world
    whole = world.seconds, world.history.happened, world.services.blobs.texts, world.sharepoint.urls
    return hashlib.sha256(repr(whole).encode()).hexdigest()


def first_failure(
    parts: Parts, seeds: Sequence[int] = range(FIRST_SEED, FIRST_SEED + SEEDS)
) -> Counterexample | None:
    """The first failure in these seeds, of an app with these parts."""
    for seed in seeds:
        if found := play(seed, DAYS_A_SEED, parts)[1]:
            return found
    return None


def shrunk(found: Counterexample, parts: Parts) -> Counterexample:
    """
    The same or another failure with a history of which nothing can be left out; after
    MOST_REPLAYS, the shortest so far.
    """
    left = [MOST_REPLAYS]

    def fails(keys: Sequence[str]) -> Counterexample | None:
        left[0] -= 1
        return play(found.seed, shortest.days, parts, frozenset(keys))[1]

    shortest, size = found, max(1, len(found.happened) // 2)
    while size and left[0] > 0:
        shortest, was_shorter = _without(shortest, size, fails, left)
        if not was_shorter or size > len(shortest.happened):
            size = size // 2
    return shortest


def _without(
    shortest: Counterexample,
    size: int,
    fails: Callable[[Sequence[str]], Counterexample | None],
    left: list[int],
) -> tuple[Counterexample, bool]:
    """Leave out *size* things at a time, wherever it still fails."""
    start, was_shorter = 0, False
    while start < len(shortest.happened) and left[0] > 0:
        keys = [key for key, _ in shortest.happened]
        again = fails(keys[:start] + keys[start + size :])
        if again and len(again.happened) < len(shortest.happened):
            shortest, was_shorter = again, True
        else:
            start += size
    return shortest, was_shorter
