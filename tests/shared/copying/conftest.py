"""Anne, when her picture is to be removed."""

from __future__ import annotations

import pytest

from shared.copying.run import Policy
from tests.doubles.office import Office
from tests.shared.copying.runs import MONTH, ORDER, SECOND_LOOK_AFTER, miss


@pytest.fixture
def missed(synced: Office) -> Office:
    """Anne's photo is gone; a run first missed it ten minutes ago."""
    synced.exchange.delete()
    miss(synced)
    synced.clock.advance(SECOND_LOOK_AFTER)
    return synced


@pytest.fixture
def left(synced: Office) -> Office:
    """Anne has left, and the state says so since noon."""
    synced.policy = Policy(forget_after=MONTH)
    synced.exchange.leave()
    synced.process()
    return synced


@pytest.fixture
def due(left: Office) -> Office:
    """Anne left so long ago that she is to be forgotten."""
    left.clock.advance(MONTH)
    return left


@pytest.fixture
def uninstalling(synced: Office) -> Office:
    """Anne's photo has been copied, and PhotoSync is being uninstalled."""
    synced.halt.ordered = ORDER
    return synced
