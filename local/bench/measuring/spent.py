"""CPU time and memory used by a process and all its descendants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")


class Spent(NamedTuple):
    """CPU seconds, and the sum of each process's peak memory in MB."""

    seconds: float
    peak_mb: float


def by(root: int) -> Spent | None:
    """What the process *root* and its descendants have used so far; None if unknown."""
    if not (_PROC / str(root) / "stat").exists():
        return None
    taken = [_of(process) for process in _family(root)]
    return Spent(sum(each.seconds for each in taken), sum(each.peak_mb for each in taken))


def _family(root: int) -> set[int]:
    parents = {process: int(stat[1]) for process, stat in _stats()}
    family, grown = {root}, True
    while grown:
        born = {each for each, parent in parents.items() if parent in family} - family
        family |= born
        grown = bool(born)
    return family


def _stats() -> Iterator[tuple[int, list[str]]]:
    for folder in _PROC.iterdir():
        if folder.name.isdecimal() and (stat := _stat(int(folder.name))):
            yield int(folder.name), stat


def _stat(process: int) -> list[str]:
    """
    The fields after the name, which may contain any character; empty for a process that is gone.
    """
    try:
        text = (_PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _of(process: int) -> Spent:
    # proc(5): fields 14 and 15 are its own time in user mode and in the kernel.
    stat = _stat(process)
    ticks = sum(map(int, stat[11:13]))
    return Spent(ticks / os.sysconf("SC_CLK_TCK"), _peak_kb(process) / 1024)


def _peak_kb(process: int) -> float:
    try:
        lines = (_PROC / str(process) / "status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0.0)
