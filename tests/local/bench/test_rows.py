"""The bench's table: a figure, its goal and its floor."""

from __future__ import annotations

import math

import pytest

from local.bench.measuring import rows
from local.bench.measuring.rows import Row, of_rounds, percentile, table


@pytest.mark.parametrize(
    ("row", "met", "ratio"),
    [
        (Row("calls", 6, goal=6), True, 1),
        (Row("calls", 6, goal=5), False, 1.2),
        (Row("time", 6, floor=4, floor_is="another", goal_ratio=1.5), True, 1.5),
        (Row("time", 6, floor=4, floor_is="another", goal_ratio=1.4), False, 1.5),
        (Row("time", 6, goal_ratio=2.0), False, None),
        (Row("time", 6, goal=60, floor=4, floor_is="another", goal_ratio=1.4), False, 1.5),
        (Row("time", 6, floor=4, floor_is="another"), None, 1.5),
        (Row("time", 6), None, None),
    ],
    ids=["goal", "above", "ratio", "above it", "no floor", "one of two", "floor", "neither"],
)
def test_goal_is_the_most(row: Row, met: bool | None, ratio: float | None):
    """A goal is the maximum of the figure, or of its ratio to the floor; the table marks it."""
    assert (row.met, row.ratio) == (met, ratio)
    assert ("NOT MET" in table({"x": [row]})) == (met is False)


def test_a_row_is_complete():
    """What could not be measured makes no row, nor does a floor without a description."""
    with pytest.raises(ValueError, match="time: nan is not a figure"):
        Row("time", math.nan, goal=6)
    with pytest.raises(ValueError, match="time: the floor has no description"):
        Row("time", 6, floor=4)


def test_rounds_become_a_median_with_extremes():
    """A row of several rounds has the median, the lowest and the highest."""
    row = of_rounds("time", [5.0, 1.0, 2.0], "s", goal=3)

    assert (row.figure, row.low, row.high, row.rounds) == (2.0, 1.0, 5.0, 3)
    assert "1–5 (3)" in table({"x": [row]})


@pytest.mark.parametrize(
    ("values", "percent", "value"),
    [(range(101), 1, 1), (range(101), 99, 99), ([20.0, 10.0], 90, 19.0)],
)
def test_percentile(values: list[float], percent: int, value: float):
    """That many per cent lie below the value, which is interpolated between the two nearest."""
    assert percentile(values, percent) == pytest.approx(value)


def test_table_fits_a_terminal():
    """However long the words are, no line is wider than a terminal, and none are lost."""
    long, more = "many words " * 20, {"floor": 1_234_567, "goal": 999_999}
    row = of_rounds(long, [1_234_567.0] * 3, "calls", floor_is=long, note=long, **more)
    lines = table({"subject": [row, row]}).splitlines()

    assert max(map(len, lines)) <= rows.WIDTH
    # Twice its name and its note, and once its floor.
    assert sum(line.count("many") for line in lines) == 5 * long.count("many")


def test_floor_is_described_where_it_begins():
    """Rows with the same floor describe it once; each subject has a heading."""
    one, two = (Row("time", 6, floor=4, floor_is=name) for name in ("one", "two"))
    lines = table({"a": [one, one, Row("calls", 6), one, two], "b": [one]}).splitlines()
    floors = [line.strip() for line in lines if "floor:" in line]

    assert floors == ["floor: one", "floor: two", "floor: one"]
    assert [line.split()[0] for line in lines if "figure" in line] == ["a", "b"]
