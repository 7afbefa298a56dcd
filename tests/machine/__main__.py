"""`make simulate ARGS="--seed N --days D"`: plays seeds until so many days have passed."""

from __future__ import annotations

import argparse
import itertools
import sys
import time

from tests.machine.instance import Parts
from tests.machine.shrink import DAYS, DAYS_A_SEED, FIRST_SEED, play, shrunk

_TOLD_EVERY = 15.0


def main() -> int:
    """Returns 1 if a seed fails, after printing the shortest history that does."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument(
        "--seed", type=int, default=FIRST_SEED, help="the first seed; the next ones follow"
    )
    parser.add_argument("--days", type=int, default=DAYS, help="tenant-days, of all seeds together")
    parser.add_argument("--seeds", type=int, default=0, help="so many seeds, however many days")
    ask = parser.parse_args()
    days, began, told = 0.0, time.monotonic(), time.monotonic()
    for played in itertools.count():
        if (played >= ask.seeds) if ask.seeds else (days >= ask.days):
            break
        seed = ask.seed + played
        more, found = play(seed, DAYS_A_SEED, Parts())
        days += more
        if found:
            print(f"Seed {seed} fails; leaving out what need not happen …", flush=True)
            print(shrunk(found, Parts()))
            print(f'Again: make simulate ARGS="--seed {seed} --seeds 1"')
            return 1
        if time.monotonic() - told > _TOLD_EVERY:
            told = time.monotonic()
            print(f"seed {seed}: {days:.0f} days", flush=True)
    seconds = time.process_time()
    print(
        f"{days:.0f} tenant-days of {played} seeds from {ask.seed} on: all is well. "
        f"{seconds:.0f} s of one core, {1000 * seconds / max(days, 1):.0f} ms a day; "
        f"{time.monotonic() - began:.0f} s by the clock."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
