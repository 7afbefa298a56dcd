"""CPU time and memory used by a process and all its descendants."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import psutil

_PROC = Path("/proc")  # windows: nobody counts


class Spent(NamedTuple):
    """CPU seconds, and the sum of each process's peak memory in MB."""

    seconds: float
    peak_mb: float


def by(root: int) -> Spent | None:
    """What the process *root* and its descendants have used so far; None if unknown."""
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
