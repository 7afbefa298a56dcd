"""`python -m local bench`: one table of figures with their goals, and the same as JSON."""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from local.bench.answers import answers
from local.bench.burst import burst
from local.bench.calls import calls
from local.bench.first_fill import first_fill
from local.bench.measuring import machine
from local.bench.measuring.rows import Measure, Row, table
from local.bench.renditions import renditions
from local.bench.script import against_script
from local.bench.sweep import sweep
from local.bench.visible import visible
from local.bench.webhook import coldstart, webhook
from local.cloud.occupancy import make_ours

# One module per subject; each has `rows(folder, say)`.
SUBJECTS: dict[str, Measure] = {
    "calls": calls.rows,
    "script": against_script.rows,
    "webhook": webhook.rows,
    "answers": answers.rows,
    "coldstart": coldstart.rows,
    "renditions": renditions.rows,
    "visible": visible.rows,
    "burst": burst.rows,
    "sweep": sweep.rows,
    "first-fill": first_fill.rows,
}
# These take too long to run with the others.
BY_NAME_ONLY: dict[str, Measure] = {"whole-burst": burst.whole}

_LEGEND = """\
Of several rounds: the median, and lowest–highest (how many), unless a note says otherwise.
The ratio is to the floor, and without one to the goal. What a floor is stands below the first row
that has it."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    names = sorted({**SUBJECTS, **BY_NAME_ONLY})
    command.add_argument("--only", choices=names, help="measure one subject")


def main(folder: Path, chosen: argparse.Namespace) -> int:
    """
    Measure, print, and leave bench.json in *folder*; 0 only if nothing failed and all goals are
    met.

    In that case all other files are deleted; they contain keys and photographs.
    """
    began, at, load = time.monotonic(), datetime.now(UTC), machine.load()
    file = folder / "bench.json"
    make_ours(folder)
    # If this run is interrupted, an earlier run's results must not look like its own.
    file.unlink(missing_ok=True)
    wanted = SUBJECTS
    if chosen.only:
        wanted = {chosen.only: {**SUBJECTS, **BY_NAME_ONLY}[chosen.only]}
    # Only for this run: another one may be running.
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    rows: list[Row] = []
    failed: dict[str, str] = {}
    for name, measure in wanted.items():
        say = functools.partial(_say, began, name)
        try:
            rows += _measured(measure, work / name, say)
        except KeyboardInterrupt:
            failed[name] = "stopped with Ctrl-C, as all that would have come after it"
            break
        except Exception as error:  # noqa: BLE001 - reported; the other subjects are still measured
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
    content = {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine.described(),
        "loadBefore": load,
        "seconds": round(time.monotonic() - began),
        "subjects": list(wanted),
        "failed": failed,
        "rows": [{**asdict(row), "ratio": row.ratio, "met": row.met} for row in rows],
    }
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"\n{at:%Y-%m-%d}, {content['machine']}; load before: {load}; {content['seconds']} s")
    print(f"{_LEGEND}\n\n{table(rows)}\n\n{_verdict(rows, failed)}\nFigures: {file}")
    if failed or any(row.met is False for row in rows):
        print(f"What it was found from: {work}")
        return 1
    shutil.rmtree(work)
    return 0


def _measured(measure: Measure, folder: Path, say: Callable[[str], None]) -> list[Row]:
    rows = measure(folder, say)
    if not rows:
        raise ValueError("not one row was measured")
    return rows


def _verdict(rows: Sequence[Row], failed: Mapping[str, str]) -> str:
    goals = [row for row in rows if row.met is not None]
    missed = [f"{row.subject}, {row.what}" for row in goals if not row.met]
    lost = [f"{name} could not be measured: {why}" for name, why in failed.items()]
    return "\n".join([f"{len(goals) - len(missed)} of {len(goals)} goals are met.", *missed, *lost])


def _say(began: float, subject: str, text: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {subject}: {text}", flush=True)
