from __future__ import annotations

import pytest

from tests.shared.upkeep.test_upkeep import Office


@pytest.fixture
def office() -> Office:
    return Office()
