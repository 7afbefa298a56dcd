"""The modules that an import loads, and the cost of each including its own imports."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from local.bench.measuring import fresh_process

_RUNS = 5


def beyond(module: str, floor: str, *, environ: Mapping[str, str]) -> dict[str, float]:
    """
    Microseconds of each module that *module* loads and *floor* does not; the median of runs.

    Each includes its own imports, so that the most expensive is the one whose import should go.
    """
    known = costs(floor, environ)
    runs = [costs(module, environ) for _ in range(_RUNS)]
    return {
        name: statistics.median(run[name] for run in runs)
        for name in runs[0]
        if name not in known and name != module
    }


def costs(module: str, environ: Mapping[str, str]) -> Mapping[str, float]:
    """Microseconds of each module including its own imports, in a fresh process."""
    command = ["-X", "importtime", "-c", f"import {module}"]
    return parsed(fresh_process.run(command, environ=environ).stderr)


def parsed(report: str) -> dict[str, float]:
    """Python's report: `import time: self [us] | cumulative | imported package`."""
    found = {}
    for line in report.splitlines():
        cells = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and cells[1].strip().isdecimal():
            found[cells[2].strip()] = float(cells[1])
    return found
