"""Anne, as most tests of runs and messages meet her."""

from __future__ import annotations

import pytest

from tests.doubles import Office
from tests.running import OLD, bring_up_to_date


@pytest.fixture
def office() -> Office:
    """Anne has a photo that nobody has copied yet."""
    office = Office()
    office.exchange.upload(OLD)
    return office


@pytest.fixture
def synced(office: Office) -> Office:
    """Anne's photo has been copied."""
    bring_up_to_date(office)
    office.sharepoint.writes = 0
    return office
