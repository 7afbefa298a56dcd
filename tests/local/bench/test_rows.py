"""The bench's table: what it says of a figure, its goal and its floor."""

from __future__ import annotations

import math

import pytest

from local.bench.measuring import rows
from local.bench.measuring.rows import Row, of_rounds, table


@pytest.mark.parametrize(
    ("row", "met"),
    [
        (Row("x", "calls", 6, "", goal=6), True),
        (Row("x", "calls", 6, "", goal=5), False),
        (Row("x", "time", 6, "s", floor=4, floor_is="another", goal_ratio=1.5), True),
        (Row("x", "time", 6, "s", floor=4, floor_is="another", goal_ratio=1.4), False),
        (Row("x", "time", 6, "s", goal_ratio=2.0), False),
        (Row("x", "time", 6, "s", goal=6, floor=4, floor_is="another", goal_ratio=1.4), False),
        (Row("x", "time", 6, "s", floor=1, floor_is="another"), None),
    ],
    ids=[
        "goal",
        "above it",
        "ratio",
        "above that",
        "no floor for the goal",
        "one of two",
        "nothing to reach",
    ],
)
def test_goal_is_the_most(row: Row, met: bool | None):
    """A goal is the most that the figure, or its ratio to the floor, may be; the table marks it."""
    assert row.met is met
    assert ("NOT MET" in table([row])) == (met is False)


def test_a_figure_is_a_number():
    """What could not be measured makes no row, rather than one that seems to be within its goal."""
    with pytest.raises(ValueError, match="x, time: nan is no figure"):
        Row("x", "time", math.nan, "s", goal=6)


def test_ratio_is_to_the_floor_before_the_goal():
    """The ratio compares with the floor of the same run; without one, with the goal."""
    assert Row("x", "time", 6, "s", floor=4, floor_is="another", goal=60).ratio == 1.5
    assert Row("x", "time", 6, "s", goal=60).ratio == 0.1
    assert Row("x", "time", 6, "s").ratio is None


def test_rounds_become_a_median_with_extremes():
    """Of several rounds a row holds the median, and how far they were apart."""
    row = of_rounds("x", "time", [5.0, 1.0, 2.0], "s", goal=3)

    assert (row.figure, row.low, row.high, row.rounds) == (2.0, 1.0, 5.0, 3)
    assert "1–5 (3)" in table([row])


def test_table_fits_a_terminal():
    """However long the words and the figures are, no line is wider than a terminal."""
    long = "many words " * 20
    row = of_rounds(
        "subject",
        long,
        [1_234_567.0] * 3,
        "calls",
        goal=999_999,
        floor=1_234_567,
        floor_is=long,
        note=long,
    )
    lines = table([row, row]).splitlines()

    assert max(map(len, lines)) <= rows.WIDTH
    # Twice its name and its note, and once its floor.
    assert sum(line.count("many") for line in lines) == 5 * long.count("many")


def test_figures_stand_beside_the_beginning_of_a_long_name():
    """What is left of a name stands below its figures, where nobody takes it for a row."""
    _, first, *below = table([Row("x", "many words " * 10, 7, "")]).splitlines()

    assert first.startswith("  many words")
    assert first.endswith(" 7")
    assert all(line.startswith(("    many", "    words")) for line in below)


def test_floor_is_named_where_it_begins():
    """Rows with the same floor say so once; the next floor is named again, and each has a name."""
    one, two = (Row("x", "time", 6, "s", floor=4, floor_is=name) for name in ("one", "two"))
    lines = table([one, one, Row("x", "calls", 6, ""), one, two]).splitlines()

    assert [line.strip() for line in lines if "floor:" in line] == ["floor: one", "floor: two"]
    with pytest.raises(ValueError, match="x, time: nothing says what its floor is"):
        Row("x", "time", 6, "s", floor=4)


def test_each_subject_has_one_heading():
    """Rows of one subject stand together below the names of the columns."""
    lines = table([Row("a", "x", 1, ""), Row("a", "y", 1, ""), Row("b", "z", 1, "")]).splitlines()

    assert [line.split()[0] for line in lines if "figure" in line] == ["a", "b"]
