"""The rows of the table about POSTs to the webhook, and about the app's import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.bench.measuring import fresh_process
from local.bench.webhook import webhook
from local.bench.webhook.webhook import NothingCopied, check_copies

# A round of a hundred POSTs of 1 ms, and one in which three of a hundred took a second.
QUICK, SLOW = [1.0] * 100, [1.0] * 97 + [1_000.0] * 3
FIGURES: dict[str, Any] = {
    "posts": {"notifications": [QUICK, SLOW, QUICK, SLOW, QUICK], "empty": [[0.5] * 100] * 5},
    "copies": 30,
    "seconds": 2.0,
    "runs": 40,
}


def test_bad_rounds_do_not_vanish():
    """The figure is of all POSTs: a slow one in a hundred counts, even if most rounds are quick."""
    row = webhook.row(FIGURES, "at rest", "")

    assert (row.goal, row.floor, row.rounds) == (50, 0.5, 5)
    assert (row.figure, row.low, row.high, row.met) == (1_000, 1, 1_000, False)


def test_rate_of_copies():
    """The note has the photos a second that were copied during the rounds."""
    assert "15 photos a second" in webhook.row(FIGURES, "during copying", "no latency").note


@pytest.mark.parametrize(
    ("runs", "uploads", "expected"), [(40, 119, True), (0, 0, True), (40, 120, False)]
)
def test_figures_need_the_copying(runs: int, uploads: int, expected: bool):
    """Unless SharePoint saw three uploads for each run, and runs where expected, it is an error."""
    check_copies(FIGURES, 120, expected=True)

    with pytest.raises(NothingCopied, match=f"{runs} runs made {uploads} uploads"):
        check_copies({**FIGURES, "runs": runs}, uploads, expected=expected)


def test_import_has_its_goal_against_the_floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Imports are made in turn; the first of each, which compiles, does not count."""
    took = {"function_app": iter([9.0, 0.130, 0.105]), "azure.functions": iter([9.0, 0.1, 0.1])}
    monkeypatch.setattr(webhook, "IMPORTS", 2)
    monkeypatch.setattr(webhook, "import_seconds", lambda module, _: next(took[module]))
    (row,) = webhook.import_rows(tmp_path, lambda text: None)

    assert (row.figure, row.floor, row.goal_ratio, row.met) == (117.5, 100, 1.2, True)


def test_failure_says_why():
    """A measurement that fails shows the output of its process."""
    with pytest.raises(fresh_process.Failed, match="ZeroDivisionError"):
        fresh_process.answer(["-c", "1 / 0"])
