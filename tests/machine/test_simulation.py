"""After each simulated day (tests/machine), SharePoint is right, whatever has happened."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from tests.machine.found import FOUND_AT, NOT_YET
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
    # Threads of earlier tests may end meanwhile.
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("defect", [name for name in SEEDED if name not in NOT_YET])
def test_seeded_defect_is_found(defect: str):
    """A core with a step moved or left out fails; the seed that found it before comes first."""
    seeds = range(FIRST_SEED, FIRST_SEED + SEEDS)

    assert first_failure(SEEDED[defect], [FOUND_AT.get(defect, FIRST_SEED), *seeds])


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_same_seed_is_same_history(seed: int):
    """Nothing depends on the process, such as the order of a set."""
    assert _digest(seed, "1") == _digest(seed, "2")


def _digest(seed: int, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "tests.machine", "--digest", "--seed", str(seed)]
    return subprocess.run(command, env=environment, check=True, capture_output=True).stdout.decode()
