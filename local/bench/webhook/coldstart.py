"""What a new instance loads: the import of the app, in fresh processes."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from pathlib import Path

from local.bench.measuring import fresh_process
from local.bench.measuring.rows import Row, of_rounds

ROUNDS = 15
_GOAL_RATIO = 1.2
_OURS, _FLOOR = "function_app", "azure.functions"


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Both imports in turn, after one try of each that compiles and warms the disk cache."""
    say(f"{ROUNDS} imports")
    # Bytecode of everything, whatever the environment's settings.
    environ = {
        "PYTHONPYCACHEPREFIX": str((folder / "bytecode").resolve()),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    took = [
        {module: import_seconds(module, environ) * 1000 for module in (_OURS, _FLOOR)}
        for _ in range(ROUNDS + 1)
    ][1:]
    row = of_rounds(
        f"import {_OURS}",
        [each[_OURS] for each in took],
        "ms",
        floor=statistics.median(each[_FLOOR] for each in took),
        floor_is=f"import {_FLOOR}",
        goal_ratio=_GOAL_RATIO,
    )
    return [row]


def import_seconds(module: str, environ: Mapping[str, str]) -> float:
    """Seconds to import *module* in a fresh process, without Python's own start."""
    program = (
        "import time; began = time.perf_counter()\n"
        f"import {module}; print(time.perf_counter() - began)"
    )
    return float(fresh_process.answer(["-c", program], environ=environ))
