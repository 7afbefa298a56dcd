"""Whether a claim keeps others away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.storage.user_state import LONGEST_CLAIM, Claim
from tests.doubles.office import NOON

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "live"),
    [
        pytest.param(SECOND, True, id="a moment left"),
        pytest.param(timedelta(0), False, id="over"),
        pytest.param(LONGEST_CLAIM, True, id="as long as one may be"),
        pytest.param(LONGEST_CLAIM + SECOND, False, id="longer than any run claims"),
    ],
)
def test_claim_is_live(left, live):
    """A claim holds until it expires; one that no run can have made holds nobody up."""
    assert Claim("a-run", NOON + left).is_live(NOON) is live
