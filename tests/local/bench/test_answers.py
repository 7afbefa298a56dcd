"""How soon Graph has its answer: what the table says, and that a POST counts what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.bench.answers import answers
from local.bench.answers.answers import SIZES, Spread, far_rows, near_rows, spread_row

TOOK = {1: [20.0] * 100, 100: [25.0] * 100, 1000: [59.0] * 100}


def test_largest_post_has_the_goal():
    """With slow storage a POST of 1,000 may take three times as long as one of a single item."""
    slower = TOOK | {1000: [61.0] * 100}
    found = [far_rows(took, 1)[:3] for took in (TOOK, slower)]

    assert [[row.met for row in rows] for rows in found] == [
        [None, None, True],
        [None, None, False],
    ]
    assert [row.met for row in near_rows(slower)] == [None] * 3


@pytest.mark.parametrize(("writes", "met"), [(4, True), (5, False)])
def test_writes_have_a_goal(writes: int, met: bool):
    """Four messages of 1,000 users are as many as it may take."""
    assert far_rows(TOOK, writes)[-1].met is met


@pytest.mark.parametrize(("ours", "met"), [(14.0, True), (14.1, False)])
def test_last_user_comes_no_later(ours: float, met: bool):
    """Than if each had been stored one after the other, as before there were bundles."""
    assert spread_row(Spread(ours, 14.0)).met is met


def test_measured_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Played with a few POSTs: each is accepted at once, and whoever it tells of is queued."""
    monkeypatch.setattr(answers, "POSTS", 2)
    monkeypatch.setattr(answers, "DELAY", 0.001)
    said: list[str] = []
    found = answers.rows(tmp_path, said.append)
    by_name = {row.what: row for row in found}

    assert len(found) == 2 * len(SIZES) + 2
    assert by_name["POST of 1000: messages that the host stores before it answers"].figure == 1
    assert len(said) == 3
