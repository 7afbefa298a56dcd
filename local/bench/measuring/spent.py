"""What a process and all that it has started have taken of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")  # windows: nobody counts


class Spent(NamedTuple):
    """Seconds of a core, and the most megabytes that each held, added up."""

    seconds: float
    peak_mb: float


def by(root: int) -> Spent | None:
    """What the process *root* has taken so far, with its offspring; None where nobody counts."""
    if not (_PROC / str(root) / "status").exists():
        return None
    try:
        whole = psutil.Process(root)
        family = [whole, *whole.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    taken = [_of(process) for process in family]
    return Spent(sum(each.seconds for each in taken), sum(each.peak_mb for each in taken))


def _of(process: psutil.Process) -> Spent:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return Spent(0.0, 0.0)
    return Spent(times.user + times.system, _peak_kb(process.pid) / 1024)


def _peak_kb(process: int) -> float:
    try:
        lines = (_PROC / str(process) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0.0)
