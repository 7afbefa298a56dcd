"""
`python run.py simulate --seed N --days D`: simulates one seed after another, for D days in all.

`--jobs` runs several seeds at once, `--digest` prints a digest of one seed's history, and
`--mutant` looks for the first seed that finds a defect (`all`: for every defect, as a new table for
`found.py`).
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.machine.instance import Parts
from tests.machine.mutants import SEEDED
from tests.machine.shrink import (
    DAYS,
    DAYS_A_SEED,
    FIRST_SEED,
    Counterexample,
    digest,
    first_failure,
    play,
    shrunk,
)

_PRINT_EVERY = 15.0
# How many seeds each process has in progress at most.
_AHEAD = 8


def main() -> int:
    """Returns 1 if a seed fails, after printing the shortest history that does."""
    parser = argparse.ArgumentParser(prog="python run.py simulate", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=FIRST_SEED, help="the first seed; the next ones follow"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="days of all seeds together")
    parser.add_argument(
        "--seeds", type=int, default=0, help="number of seeds to run, instead of --days"
    )
    parser.add_argument("--jobs", type=int, default=1, help="number of processes")
    parser.add_argument("--digest", action="store_true", help="print only this seed's digest")
    parser.add_argument(
        "--mutant",
        choices=[*SEEDED, "all"],
        metavar="NAME",
        help="look for a seed that finds this seeded defect",
    )
    options = parser.parse_args()
    if options.digest:
        print(digest(options.seed))
        return 0
    if options.mutant:
        return _search_defects(SEEDED if options.mutant == "all" else [options.mutant])
    return _play_seeds(options)


def _play_seeds(options: argparse.Namespace) -> int:
    days, played, began, printed = 0.0, 0, time.monotonic(), time.monotonic()
    for seed, more, found in _played(options.seed, options.jobs):
        days, played = days + more, played + 1
        if found:
            print(f"Seed {seed} fails; reducing it to the shortest failing history …", flush=True)
            print(shrunk(found, Parts()))
            print(f"Again: python run.py simulate --seed {seed} --seeds 1")
            return 1
        if (played >= options.seeds) if options.seeds else (days >= options.days):
            break
        if time.monotonic() - printed > _PRINT_EVERY:
            printed = time.monotonic()
            print(f"seed {seed}: {days:.0f} days", flush=True)
    used = os.times()
    seconds = used.user + used.system + used.children_user + used.children_system
    print(
        f"{days:.0f} tenant-days of {played} seeds from {options.seed} on, without a failure. "
        f"{seconds:.0f} s of one core, {1000 * seconds / max(days, 1):.0f} ms a day; "
        f"{time.monotonic() - began:.0f} s by the clock."
    )
    return 0


def _played(first: int, jobs: int) -> Iterator[tuple[int, float, Counterexample | None]]:
    """For each seed, in order: the days without a failure, and the failure."""
    if jobs == 1:
        for seed in itertools.count(first):
            yield seed, *_play(seed)
    with ProcessPoolExecutor(jobs) as pool:
        for start in itertools.count(first, jobs * _AHEAD):
            seeds = range(start, start + jobs * _AHEAD)
            for seed, played in zip(seeds, pool.map(_play, seeds), strict=True):
                yield seed, *played


def _play(seed: int) -> tuple[float, Counterexample | None]:
    return play(seed, DAYS_A_SEED, Parts())


def _search_defects(names: list[str] | dict[str, Parts]) -> int:
    missed = 0
    for name in names:
        found = first_failure(SEEDED[name])
        missed += found is None
        print(f'    "{name}": {found.seed},' if found else f"    # {name} survives", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
