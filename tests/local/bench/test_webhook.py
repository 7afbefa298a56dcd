"""What the table says of POSTs to the webhook."""

from __future__ import annotations

from typing import Any

import pytest

from local.bench.measuring.rows import Row
from local.bench.webhook import webhook
from local.bench.webhook.webhook import NothingCopied, check_copies
from local.bench.webhook.webhook_process import SIZES

# A round of a hundred POSTs of 1 ms, and one in which three of a hundred took a second.
QUICK, SLOW = [1.0] * 100, [1.0] * 97 + [1_000.0] * 3
FIGURES: dict[str, Any] = {
    "posts": {
        "notifications": {str(size): [QUICK, SLOW, QUICK, SLOW, QUICK] for size in SIZES},
        "empty": {str(size): [[0.5] * 100] * 5 for size in SIZES},
    },
    "copies": 30,
    "seconds": 2.0,
    "runs": 40,
}


def of_hundred(rows: list[Row]) -> Row:
    (found,) = (row for row in rows if row.what.startswith("POSTs of 100, ") and "p99" in row.what)
    return found


@pytest.mark.parametrize(
    "found",
    [webhook.at_rest(FIGURES), webhook.beside_copying(FIGURES), [webhook.saturated(FIGURES)]],
    ids=["at rest", "beside copying", "saturated"],
)
def test_goal_holds_whatever_goes_on(found: list[Row]):
    """The p99 of 100 items in the worker has its goal in each of the three moments."""
    row = of_hundred(found)

    assert (row.goal, row.floor, row.rounds) == (50, 0.5, 5)
    assert row.what.endswith("in the worker")
    assert row.note.startswith("of 500 POSTs together")
    assert [each.goal for each in found if each is not row] == [None] * (len(found) - 1)


def test_bad_rounds_do_not_vanish():
    """The figure is of all POSTs: a slow one in a hundred counts, whatever most rounds are."""
    row = of_hundred(webhook.at_rest(FIGURES))

    assert (row.figure, row.low, row.high) == (1_000, 1, 1_000)
    assert not row.met


def test_rates_are_of_items():
    """Items a second are those of all POSTs of a round in the time that they took."""
    (row,) = (row for row in webhook.at_rest(FIGURES) if row.what == "POSTs of 10: items a second")

    assert row.high == 10_000
    assert row.low == pytest.approx(1_000 / 3.097)


def test_copies_are_told():
    """What went on beside is told by what was copied in the seconds of the rounds."""
    assert "15 photos a second" in webhook.saturated(FIGURES).note
    assert "15 photos a second" in webhook.beside_copying(FIGURES)[-1].note


@pytest.mark.parametrize(("runs", "uploads"), [(40, 119), (40, 0), (0, 0)])
def test_runs_that_copy_nothing_are_no_copying(runs: int, uploads: int):
    """Unless SharePoint saw three uploads for each run, there is no figure."""
    check_copies(FIGURES, 120)

    with pytest.raises(NothingCopied, match=f"{runs} runs made {uploads} uploads"):
        check_copies({**FIGURES, "runs": runs}, uploads)
