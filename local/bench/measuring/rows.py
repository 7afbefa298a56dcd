"""The result of a measurement: a figure, its goal, and the floor of the same run."""

from __future__ import annotations

import math
import statistics
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

# The width of a terminal that shows the table unwrapped.
WIDTH = 120
_WHAT = 42
_HEADS = ("goal", "figure", "floor", "ratio", "noise")
_COLUMNS = (11, 15, 11, 7, 23)


@dataclass(frozen=True)
class Row:
    """
    One figure.

    `floor` is the same figure, in the same unit and of the same run, for something simpler, which
    `floor_is` names. `goal` is the maximum of the figure, `goal_ratio` the maximum as a multiple of
    the floor; None without a goal. `low` and `high` are the extremes of all rounds.
    """

    what: str
    figure: float
    unit: str = ""
    _: KW_ONLY
    goal: float | None = None
    goal_ratio: float | None = None
    floor: float | None = None
    floor_is: str = ""
    low: float | None = None
    high: float | None = None
    rounds: int = 1
    note: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.figure):
            raise ValueError(f"{self.what}: {self.figure} is not a figure.")
        if self.floor is not None and not self.floor_is:
            raise ValueError(f"{self.what}: the floor has no description.")

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of its floor, or of its goal if it has no floor."""
        base = self.goal if self.floor is None else self.floor
        return None if not base else round(self.figure / base, 3)

    @property
    def met(self) -> bool | None:
        """Whether it is within its goals; None without a goal."""
        goals = [] if self.goal is None else [self.figure <= self.goal]
        if self.goal_ratio is not None:
            reached = self.floor is not None and self.figure <= self.goal_ratio * self.floor
            goals.append(reached)
        return all(goals) if goals else None


# Measures one subject with a folder for its files, and reports its progress.
Measure = Callable[[Path, Callable[[str], None]], list[Row]]


def of_rounds(what: str, rounds: Sequence[float], unit: str, **more: Any) -> Row:
    """A row for the median of several rounds, with their extremes as its noise."""
    spread: dict[str, Any] = {"low": min(rounds), "high": max(rounds), "rounds": len(rounds)}
    return Row(what, statistics.median(rounds), unit, **spread, **more)


def percentile(values: Sequence[float], percent: int) -> float:
    """*percent* is between 1 and 99; the result is interpolated between the two nearest values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def table(rows: Mapping[str, Sequence[Row]]) -> str:
    """One line per row under its subject, with explanations below; at most WIDTH wide."""
    lines: list[str] = []
    for subject, found in rows.items():
        lines += ["", _line(subject, _HEADS)]
        floor = ""
        for row in found:
            # The description of a floor is not repeated in the rows that follow.
            lines += _lines(row, row.floor_is if row.floor_is != floor else "")
            floor = row.floor_is or floor
    return "\n".join(lines[1:])


def _lines(row: Row, floor_is: str) -> list[str]:
    what, *below = textwrap.wrap(row.what, _WHAT - 4)
    goals = [
        "" if row.goal is None else f"≤ {number(row.goal)}",
        "" if row.goal_ratio is None else f"≤ {number(row.goal_ratio)} ×",
    ]
    cells = (
        ", ".join(filter(None, goals)),
        f"{number(row.figure)} {row.unit}".strip(),
        "" if row.floor is None else number(row.floor),
        "" if row.ratio is None else f"{row.ratio:.2f}",
        _noise(row),
    )
    words = [
        "NOT MET" if row.met is False else "",
        f"floor: {floor_is}" if floor_is else "",
        row.note,
    ]
    told = textwrap.wrap("; ".join(filter(None, words)), WIDTH - 6)
    return [
        _line(f"  {what}", cells),
        *(f"    {part}" for part in below),
        *(f"      {part}" for part in told),
    ]


def _line(what: str, cells: Sequence[str]) -> str:
    right = "  ".join(cell.rjust(width) for cell, width in zip(cells, _COLUMNS, strict=True))
    return f"{what:{_WHAT}}  {right}".rstrip()


def _noise(row: Row) -> str:
    if row.low is None or row.high is None:
        return ""
    return f"{number(row.low)}–{number(row.high)} ({row.rounds})"


def number(value: float) -> str:
    """With as many digits as a reader needs."""
    if value == int(value) or value >= 100:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 20 else f"{value:,.2f}"
