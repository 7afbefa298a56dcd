"""
Nothing missed, nothing lost: whatever happens for days on end, SharePoint is right in the end.

The whole core runs in several instances between imitated services (tests/machine).
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from tests.machine.instance import Parts
from tests.machine.mutants import SEEDED
from tests.machine.shrink import (
    DAYS,
    DAYS_A_SEED,
    FIRST_SEED,
    SEEDS,
    first_failure,
    play,
    shrunk,
)

# Measuring what is covered would take longer than all the rest.
pytestmark = [pytest.mark.long, pytest.mark.no_cover]
_PARTS = 8


@pytest.mark.parametrize("part", range(_PARTS))
def test_two_thousand_days_end_right(part: int):
    """After each day every picture is right, or its state says why it is not."""
    before, days = set(threading.enumerate()), 0.0
    for seed in range(FIRST_SEED + part, FIRST_SEED + SEEDS, _PARTS):
        more, found = play(seed, DAYS_A_SEED, Parts())
        assert not found, (
            f"{shrunk(found, Parts())}\nAgain: python run.py simulate --seed {seed} --seeds 1"
        )
        days += more

    assert days >= DAYS / _PARTS
    # Those of tests before may end meanwhile.
    assert set(threading.enumerate()) <= before


def test_failure_is_told_shortly():
    """A seed fails the same way each time, and with little of its history left, too."""
    parts = SEEDED["NoSweep"]
    first = first_failure(parts)
    assert first
    again = first_failure(parts, [first.seed])
    assert first == again
    shortest = shrunk(first, parts)

    assert len(shortest.happened) < len(first.happened)
    assert set(dict(shortest.happened)) <= set(dict(first.happened))


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_same_seed_is_same_history(seed: int):
    """Nothing depends on the process: neither the order of a set, nor what was played before."""
    told = {_digest(seed, hash_seed) for hash_seed in ("1", "2")}

    assert len(told) == 1


def _digest(seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.machine", "--digest", "--seed", str(seed)]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout.decode()
