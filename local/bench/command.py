"""`python -m local bench`: one table of figures with their goals, and the same as JSON."""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import shutil
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psutil

from local.bench.answers import answers
from local.bench.burst import burst
from local.bench.calls import calls
from local.bench.first_fill import first_fill
from local.bench.measuring.rows import Measure, Row, table
from local.bench.renditions import renditions
from local.bench.sweep import sweep
from local.bench.visible import visible
from local.bench.webhook import webhook
from local.cloud.occupancy import make_ours

# One module per subject; each has `rows(folder, say)`.
SUBJECTS: dict[str, Measure] = {
    "calls": calls.rows,
    "webhook": webhook.rows,
    "answers": answers.rows,
    "coldstart": webhook.import_rows,
    "renditions": renditions.rows,
    "visible": visible.rows,
    "burst": burst.rows,
    "sweep": sweep.rows,
    "first-fill": first_fill.rows,
}
_CPUS = Path("/proc/cpuinfo")  # windows: platform.processor
_LEGEND = """\
Of several rounds the figure is the median, and the noise lowest–highest (rounds), unless a note
says otherwise. The ratio is to the floor, or to the goal if there is no floor. Each floor is
described below the first row that has it."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("--only", choices=sorted(SUBJECTS), help="measure one subject")


def main(folder: Path, chosen: argparse.Namespace) -> int:
    """
    Measure, print, and leave bench.json in *folder*; 0 only if nothing failed and all goals are
    met.

    In that case all other files are deleted; they contain keys and photographs.
    """
    began, at = time.monotonic(), datetime.now(UTC)
    load = round(psutil.getloadavg()[0], 2)
    file = folder / "bench.json"
    make_ours(folder)
    # If this run is interrupted, an earlier run's results must not look like its own.
    file.unlink(missing_ok=True)
    wanted = {chosen.only: SUBJECTS[chosen.only]} if chosen.only else SUBJECTS
    # Only for this run: another one may be running.
    work = Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    rows: dict[str, list[Row]] = {}
    failed: dict[str, str] = {}
    for name, measure in wanted.items():
        say = functools.partial(_say, began, name)
        try:
            rows[name] = measure(work / name, say)
            if not rows[name]:
                raise ValueError("no row was measured")
        except KeyboardInterrupt:
            failed[name] = "stopped with Ctrl-C; the subjects after it were not measured"
            break
        except Exception as error:  # noqa: BLE001 - reported; the other subjects are still measured
            traceback.print_exc()
            failed[name] = f"{type(error).__name__}: {error}"
    content = {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine(),
        "loadBefore": load,
        "seconds": round(time.monotonic() - began),
        "subjects": list(wanted),
        "failed": failed,
        "rows": [
            {"subject": subject, **asdict(row), "ratio": row.ratio, "met": row.met}
            for subject, row in _each(rows)
        ],
    }
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"\n{at:%Y-%m-%d}, {content['machine']}; load before: {load}; {content['seconds']} s")
    print(f"{_LEGEND}\n\n{table(rows)}\n\n{_verdict(rows, failed)}\nFigures: {file}")
    if failed or any(row.met is False for _, row in _each(rows)):
        print(f"Files of the measurements: {work}")
        return 1
    shutil.rmtree(work)
    return 0


def _each(rows: Mapping[str, Sequence[Row]]) -> Iterator[tuple[str, Row]]:
    return ((subject, row) for subject, found in rows.items() for row in found)


def _verdict(rows: Mapping[str, Sequence[Row]], failed: Mapping[str, str]) -> str:
    goals = [(subject, row) for subject, row in _each(rows) if row.met is not None]
    missed = [f"{subject}, {row.what}" for subject, row in goals if not row.met]
    lost = [f"{name} could not be measured: {why}" for name, why in failed.items()]
    return "\n".join([f"{len(goals) - len(missed)} of {len(goals)} goals are met.", *missed, *lost])


def _say(began: float, subject: str, text: str) -> None:
    print(f"{time.monotonic() - began:5.0f} s  {subject}: {text}", flush=True)


def machine() -> str:
    """Cores, processor, memory, system and Python, for comparisons."""
    processor = platform.processor() or platform.machine()
    if _CPUS.exists():
        lines = _CPUS.read_text(encoding="utf-8").splitlines()
        named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        processor = next(iter(named), processor)
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} cores, {processor}, {gigabytes:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )
