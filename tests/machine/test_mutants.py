"""Each defect that the design guards against is found by the days that CI plays."""

from __future__ import annotations

import pytest

from tests.machine.found import FOUND_AT, NOT_YET
from tests.machine.mutants import SEEDED
from tests.machine.shrink import FIRST_SEED, SEEDS, first_failure

pytestmark = [pytest.mark.long, pytest.mark.no_cover]


@pytest.mark.parametrize("defect", [name for name in SEEDED if name not in NOT_YET])
def test_seeded_defect_is_found(defect: str):
    """A core with a step moved or left out does not pass; looked for first where it was found."""
    seeds = range(FIRST_SEED, FIRST_SEED + SEEDS)

    assert first_failure(SEEDED[defect], [FOUND_AT.get(defect, FIRST_SEED), *seeds])
