"""
Nothing missed, nothing lost: whatever happens for days on end, SharePoint is right in the end.

The whole core runs in several instances between imitated services (tests/machine). Each defect that
the design guards against is found by the seeds that are played here, when it is put in.
"""

from __future__ import annotations

import itertools
import threading

import pytest

from tests.machine.instance import Parts
from tests.machine.mutants import SEEDED
from tests.machine.shrink import DAYS_A_SEED, Counterexample, play, shrunk

# Of all seeds together, from the first on. A day takes some 60 ms.
DAYS, FIRST_SEED = 2000, 1

# Measuring what is covered would take longer than all the rest.
pytestmark = [pytest.mark.long, pytest.mark.no_cover]


def first_failure(parts: Parts) -> Counterexample | None:
    """What goes wrong first in all those days with an app of these parts."""
    days = 0.0
    for seed in itertools.count(FIRST_SEED):
        more, found = play(seed, DAYS_A_SEED, parts)
        days += more
        if found or days >= DAYS:
            return found
    return None


def test_two_thousand_days_end_right():
    """After each day every picture is right, or its state says why it is not."""
    threads = threading.active_count()
    found = first_failure(Parts())

    assert not found, str(shrunk(found, Parts()))
    assert threading.active_count() == threads


@pytest.mark.parametrize("defect", SEEDED)
def test_seeded_defect_is_found(defect: str):
    """A core with a step moved or left out does not pass."""
    assert first_failure(SEEDED[defect])


def test_same_seed_is_same_history():
    """A seed fails the same way each time, and with little of its history left, too."""
    parts = SEEDED["NoSweep"]
    first, again = first_failure(parts), first_failure(parts)
    assert first
    assert first == again
    shortest = shrunk(first, parts)

    assert len(shortest.happened) < len(first.happened)
    assert set(dict(shortest.happened)) <= set(dict(first.happened))
