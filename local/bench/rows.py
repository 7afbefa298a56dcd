"""What a measurement says: a figure beside its goal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Row:
    """One figure. `goal` is the most it may be; None where there is nothing to reach."""

    subject: str
    what: str
    figure: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The figure as a multiple of its goal: up to 1 it is met."""
        return None if not self.goal else round(self.figure / self.goal, 3)

    @property
    def met(self) -> bool:
        return self.goal is None or self.figure <= self.goal


class Measure(Protocol):
    """Measures one subject, and says how far it is."""

    def __call__(self, say: Callable[[str], None]) -> list[Row]: ...


def table(rows: Sequence[Row]) -> str:
    """One line a row, the figures under one another."""
    cells = [("", "what", "goal", "figure", "ratio", "")]
    for row in rows:
        cells.append(
            (
                row.subject,
                row.what,
                "" if row.goal is None else _number(row.goal),
                f"{_number(row.figure)} {row.unit}".strip(),
                "" if row.ratio is None else f"{row.ratio:.2f}",
                ("" if row.met else "NOT MET  ") + row.note,
            )
        )
    widths = [max(len(row[column]) for row in cells) for column in range(6)]
    aligned = (str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.ljust)
    return "\n".join(
        "  ".join(
            align(cell, width) for align, cell, width in zip(aligned, row, widths, strict=True)
        ).rstrip()
        for row in cells
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"
