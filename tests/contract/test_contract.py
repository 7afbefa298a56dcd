"""
What the simulator and the real services must answer alike: the steps of `acceptance` that read.

On a tenant a test that fails says what differs there from what the simulator and the code assume.
"""

from __future__ import annotations

import pytest

from admin.acceptance import runner
from admin.acceptance.finding import Verdict
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.steps.every import CONTRACT
from tests.contract.conftest import REAL


@pytest.mark.parametrize("step", CONTRACT, ids=lambda step: step.id)
def test_answered_alike(where: str, asked: Scene, step: Step):
    """What is seen is what was assumed; the simulator leaves no question unasked."""
    [result] = runner.results([step], asked)

    if where == REAL and result.verdict is Verdict.NOT_ASKED:
        pytest.skip(f"{step.id}: {result.text}")
    assert result.verdict is Verdict.AS_ASSUMED, result.text


def test_contract_only_reads():
    """None of its steps writes, so it may be asked of a tenant that is used."""
    assert [step.id for step in CONTRACT if step.writes] == []
