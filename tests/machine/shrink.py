"""The shortest history that still fails, found by leaving things out and playing it again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.machine.instance import Parts
from tests.machine.simulation import Failure, Simulation

# So many times a history is played again, at most: each takes a fraction of a second.
MOST_REPLAYS = 400
# A history of more days finds little more, and is shrunk more slowly.
DAYS_A_SEED = 3
# What CI plays: so many days, which takes so many seeds from the first on.
DAYS, FIRST_SEED, SEEDS = 2000, 1, 500


@dataclass(frozen=True)
class Counterexample:
    """
    What is wrong at the end of so many `days`, and what has happened before: key and words, in the
    order of time.
    """

    seed: int
    days: int
    what: str
    happened: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        lines = [f"Seed {self.seed}: {self.what}", *(f"  {told}" for _, told in self.happened)]
        return "\n".join(lines)


def play(
    seed: int, days: int, parts: Parts, allowed: frozenset[str] | None = None
) -> tuple[float, Counterexample | None]:
    """How many days went well, and what went wrong on the last one."""
    simulation = Simulation(seed, parts, allowed)
    try:
        return simulation.play(days), None
    except Failure as failure:
        happened = tuple(simulation.world.history.happened.items())
        return simulation.days, Counterexample(seed, simulation.number + 1, str(failure), happened)


def digest(seed: int) -> str:
    """What a seed comes to, down to each call that failed and each blob, as a fingerprint."""
    simulation = Simulation(seed, Parts())
    simulation.play(DAYS_A_SEED)
    world = simulation.world
    told = world.seconds, world.history.happened, world.services.blobs.texts, world.sharepoint.urls
    return hashlib.sha256(repr(told).encode()).hexdigest()


def first_failure(
    parts: Parts, seeds: Sequence[int] = range(FIRST_SEED, FIRST_SEED + SEEDS)
) -> Counterexample | None:
    """What goes wrong first in these seeds, with an app of these parts."""
    for seed in seeds:
        if found := play(seed, DAYS_A_SEED, parts)[1]:
            return found
    return None


def shrunk(found: Counterexample, parts: Parts) -> Counterexample:
    """
    The same, or another failure, with no single thing that could be left out; near enough, if that
    takes too long.
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
    """Leave out *size* things at a time wherever it still fails then."""
    start, was_shorter = 0, False
    while start < len(shortest.happened) and left[0] > 0:
        keys = [key for key, _ in shortest.happened]
        again = fails(keys[:start] + keys[start + size :])
        if again and len(again.happened) < len(shortest.happened):
            shortest, was_shorter = again, True
        else:
            start += size
    return shortest, was_shorter
