"""`python -m local bench`: one table of figures beside their goals, and the same as JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from local.bench import sweep
from local.bench.rows import Measure, Row, table

# One module a subject; each promises `rows()`.
SUBJECTS: dict[str, Measure] = {"sweep": sweep.rows}


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", choices=sorted(SUBJECTS), help="measure one subject")


def main(folder: Path, chosen: argparse.Namespace) -> int:
    """Measure, print, and leave bench.json in *folder*; 0 only if every goal is met."""
    rows: list[Row] = []
    for name, measure in SUBJECTS.items():
        if chosen.only in (None, name):
            rows += measure(lambda text: print(text, flush=True))
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "bench.json"
    content = [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows]
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"\n{table(rows)}\n\nFigures: {file}")
    return 0 if all(row.met for row in rows) else 1
