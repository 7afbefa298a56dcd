"""
Nothing missed, nothing lost: whatever happens, SharePoint is right once it is quiet and swept.

The whole core runs between imitated services while photos change, notifications get lost and
workers die (tests/machine). Each defect that the design guards against is found when it is put in.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.machine.mutants import SEEDED
from tests.machine.rules import Changes, Machine

PROFILE = settings(
    derandomize=True,
    database=None,
    max_examples=150,
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


@pytest.fixture(autouse=True)
def _without_log() -> Iterator[None]:
    logging.getLogger("photosync").disabled = True
    yield
    logging.getLogger("photosync").disabled = False


def test_sharepoint_ends_up_right():
    """After quiet and sweeps every picture is the Exchange one, and none was written twice."""
    run_state_machine_as_test(Machine, settings=PROFILE)


def test_sharepoint_ends_up_right_where_runs_meet():
    """The same with nothing but changes and runs, which then meet in many more ways."""
    run_state_machine_as_test(Changes, settings=settings(PROFILE, max_examples=150))


@pytest.mark.parametrize("defect", SEEDED)
def test_seeded_defect_is_found(defect: str):
    """A core with a step moved or left out does not pass."""
    # The first example will do: nobody wants to read it.
    search = settings(
        PROFILE,
        max_examples=2000,
        stateful_step_count=8,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(SEEDED[defect], settings=search)
