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
from tests.machine.shrink import first_failure, shrunk

# Measuring what is covered would take longer than all the rest.
pytestmark = [pytest.mark.long, pytest.mark.no_cover]


_PLAYED = """
from tests.machine.instance import Parts
from tests.machine.simulation import Simulation

played = Simulation(7, Parts())
played.play(2)
print(played.world.history.happened, played.world.services.blobs.texts)
"""


def test_two_thousand_days_end_right():
    """After each day every picture is right, or its state says why it is not."""
    threads = threading.active_count()
    found = first_failure(Parts())

    assert not found, str(shrunk(found, Parts()))
    assert threading.active_count() == threads


def test_process_does_not_matter():
    """The order of a set, which another process has otherwise, moves nothing."""
    told = {
        subprocess.check_output(
            [sys.executable, "-c", _PLAYED],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            text=True,
        )
        for hash_seed in ("1", "2")
    }

    assert len(told) == 1


def test_same_seed_is_same_history():
    """A seed fails the same way each time, and with little of its history left, too."""
    parts = SEEDED["NoSweep"]
    first, again = first_failure(parts), first_failure(parts)
    assert first
    assert first == again
    shortest = shrunk(first, parts)

    assert len(shortest.happened) < len(first.happened)
    assert set(dict(shortest.happened)) <= set(dict(first.happened))
