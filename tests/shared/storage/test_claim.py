"""Whether a claim keeps others away."""

from __future__ import annotations

import json

import pytest

from shared.storage.user_state import LONGEST_CLAIM, WAITING, from_json


@pytest.mark.parametrize(
    ("fields", "age", "left"),
    [
        pytest.param({"seconds": 30}, 0, 31, id="just written"),
        pytest.param({"seconds": 30}, 30, 1, id="over, but for a second that storage hides"),
        pytest.param({"seconds": 30}, 31, 0, id="over"),
        pytest.param({"seconds": LONGEST_CLAIM}, 0, LONGEST_CLAIM + 1, id="as long as may be"),
        pytest.param({"seconds": LONGEST_CLAIM + 1}, 0, 0, id="longer than any run claims"),
        pytest.param({"seconds": float("inf")}, 0, 0, id="for ever"),
        pytest.param({"seconds": 0}, 0, 0, id="not at all"),
        pytest.param({"expiresAt": "2026-01-31T12:00:00Z"}, 599, 2, id="of 0.1.0"),
    ],
)
def test_what_is_left_of_a_claim(fields, age, left):
    """A claim holds by the age of its blob; one that no run can have made holds nobody up."""
    text = json.dumps({"status": WAITING, "claim": {"by": "a-run", **fields}}).encode()
    claim = from_json("anne", text, age=age).claim

    assert claim
    assert claim.left == left
    assert claim.is_live is (left > 0)
