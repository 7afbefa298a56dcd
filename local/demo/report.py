"""
`python -m local demo`: prints each step as it happens, then a table, a picture and figures.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from admin.terminal import files
from local.cloud.children import ChildDied
from local.cloud.stack import Stack
from local.cloud.undisturbed import NO_TIMERS
from local.demo.montage import Pair, montage
from local.demo.story import Demo, DemoFailed, Result
from local.outside.watcher import NotSettled

PICTURE = Path("demo.png")


class Progress:
    """Lines with the seconds since the start; in a terminal the last one counts up."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = -1

    def line(self, text: str) -> None:
        print(f"\r{time.monotonic() - self._began:5.1f} s  {text}", flush=True)

    def count(self, done: int, everybody: int) -> None:
        if done == self._shown:
            return
        self._shown = done
        end = "" if sys.stdout.isatty() else "\n"
        print(f"\r         {done} of {everybody} done", end=end, flush=True)


def main(folder: Path) -> int:
    """Run the demo in *folder*; returns 0 only if every picture is correct."""
    progress = Progress()
    try:
        with Stack(folder, settings=NO_TIMERS) as stack:
            progress.line("Storage, Microsoft 365 and the Functions host are running")
            results, counted = Demo(stack, progress.line, progress.count).run()
    except (ChildDied, DemoFailed, NotSettled) as error:
        print(f"\nThe demo failed. {error}\nThe app's log: {folder}/host.log", file=sys.stderr)
        return 1
    print(f"\n{table(results)}\n")
    figures = summary(results, counted)
    (folder / "demo.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    picture = draw([_pair(result) for result in results], folder)
    print(
        f"{figures['synced']} synced, {figures['settled']} with no picture as expected, "
        f"{figures['mismatched']} wrong. From notification to SharePoint: median "
        f"{figures['p50Ms']} ms, 95 % within {figures['p95Ms']} ms (no latency added).\n"
        f"See {picture}: Exchange above, SharePoint below. Figures: {folder}/demo.json"
    )
    return 1 if figures["mismatched"] else 0


def draw(pairs: Sequence[Pair], folder: Path) -> Path:
    """Write the picture here, or to *folder* if that fails; returns its path."""
    try:
        montage(pairs, PICTURE)
        return PICTURE
    except OSError as error:
        print(files.sentence(error), file=sys.stderr)
    elsewhere = folder / PICTURE.name
    montage(pairs, elsewhere)
    return elsewhere


def summary(results: Sequence[Result], counted: Mapping[str, int]) -> dict[str, int]:
    """The figures of a run, in the format of demo.json."""
    times = [result.milliseconds for result in results if result.milliseconds is not None]
    return {
        "users": len(results),
        "synced": sum(result.status == "synced" for result in results),
        "settled": sum(result.status not in {"synced", "failed"} for result in results),
        "mismatched": sum(bool(result.fault) for result in results),
        **counted,
        "p50Ms": round(statistics.median(times)),
        "p95Ms": round(statistics.quantiles(times, n=20, method="inclusive")[-1]),
    }


def table(results: Sequence[Result]) -> str:
    """One line per person."""
    rows = [("", "photo in Exchange", "result", "Graph calls", "SharePoint calls", "ms to visible")]
    for result in results:
        rows.append(
            (
                result.person.name,
                result.person.why,
                result.fault or result.status,
                str(result.calls["graph"]),
                str(result.calls["sharepoint"]),
                "" if result.milliseconds is None else str(result.milliseconds),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _pair(result: Result) -> Pair:
    return Pair(
        name=result.person.name,
        outcome=result.status,
        detail=result.fault or result.detail or result.person.why,
        exchange=result.exchange,
        sharepoint=result.sharepoint.get("L"),
        milliseconds=result.milliseconds,
        matches=not result.fault,
    )
