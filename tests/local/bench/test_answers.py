"""How soon Graph has its answer: the goals in the table, and that each POST is measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.bench.answers import answers
from local.bench.answers.answers import MANY, ONE, rows_of

NEAR = {ONE: [20.0] * 100, MANY: [90.0] * 100}


@pytest.mark.parametrize(
    ("slowest", "writes", "spread", "met"),
    [(59.0, 4, 14.0, True), (61.0, 4, 14.0, False), (59.0, 5, 14.0, False), (59.0, 4, 14.1, False)],
    ids=["all met", "more than 3 times one item", "more than 4 writes", "later than one by one"],
)
def test_goals(slowest: float, writes: int, spread: float, met: bool):
    """Slow storage has the goals: the p99, the writes, and when the last user is queued."""
    far = {ONE: [20.0] * 100, MANY: [slowest] * 100}
    *near, p99, written, last = rows_of(NEAR, far, writes, spread, 14.0)

    assert [row.met for row in near] == [None] * 3
    assert (p99.met and written.met and last.met) is met


@pytest.mark.server
def test_measured_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A few POSTs: each is accepted, and all users of the largest become one message."""
    monkeypatch.setattr(answers, "POSTS", 2)
    monkeypatch.setattr(answers, "DELAY", 0.001)
    found = {row.what: row.figure for row in answers.rows(tmp_path, lambda text: None)}

    assert len(found) == 6
    assert found["POST of 1000: messages that the host stores before it answers"] == 1
