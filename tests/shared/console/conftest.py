"""A console with everything behind it in memory."""

from __future__ import annotations

import pytest

from tests.shared.console.console_desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk()
