"""
The reading steps of `acceptance`, for which simulator and real services must answer alike.

On a real tenant, a failing test says how it differs from the assumptions of simulator and code.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.acceptance import runner
from admin.acceptance.finding import Verdict
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.steps.every import CONTRACT
from tests.contract.conftest import REAL, real


@pytest.mark.parametrize("step", CONTRACT, ids=lambda step: step.id)
def test_answered_alike(where: str, asked: Scene, step: Step):
    """Each answer is as assumed; the simulator answers every step."""
    [result] = runner.results([step], asked)

    if where == REAL and result.verdict is Verdict.NOT_ASKED:
        pytest.skip(f"{step.id}: {result.text}")
    assert result.verdict is Verdict.AS_ASSUMED, result.text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "contains no readable settings"),
        ('{"Values": 5}', "contains no readable settings"),
        ('{"Values": {"TENANT_ID": "x"}}', "give the UPN of one as CONTRACT_USER"),
        ('{"Values": {"CONTRACT_USER": "x", "TENANT_ID": "x"}}', "TENANT_ID must be a GUID"),
    ],
)
def test_a_file_that_names_no_tenant(tmp_path: Path, text: str, words: str):
    """It is reported in one sentence, and no step runs."""
    file = tmp_path / "x.settings.json"
    file.write_text(text, "utf-8")

    with pytest.raises(pytest.exit.Exception, match=words):
        real(file, tmp_path)


def test_contract_only_reads():
    """No step writes, so the contract may run on a production tenant."""
    assert [step.id for step in CONTRACT if step.writes] == []
