"""Peak memory and CPU time of processes, as far as the system counts them."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")  # windows: psutil, or not counted


class Spent(NamedTuple):
    """CPU seconds, and the sum of each process's peak memory in MB."""

    seconds: float
    peak_mb: float


def peak_mb(process: int | str = "self") -> float:
    """
    The peak memory of this process in MB, since `forget_peak` if the peak can be reset.

    Of another process on Linux only; 0.0 if it has ended.
    """
    if _PROC.exists():
        # Not getrusage: there a child starts with the peak of its parent.
        with suppress(OSError):
            status = (_PROC / str(process) / "status").read_text(encoding="utf-8")
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                return int(found[1]) / 1024
        return 0.0
    if sys.platform == "win32":
        # Imported only where needed: otherwise its memory would be measured too.
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 2**20 if sys.platform == "darwin" else peak / 1024


def forget_peak() -> None:
    """Reset the peak to the current memory, if the system can (Linux, proc(5))."""
    file = _PROC / "self" / "clear_refs"
    if file.exists():
        file.write_text("5", encoding="ascii")


def spent_by(root: int) -> Spent | None:
    """What the process *root* and its descendants have used so far; None if unknown."""
    import psutil

    if not _PROC.exists():
        return None
    seconds = peak = 0.0
    with suppress(psutil.NoSuchProcess):
        whole = psutil.Process(root)
        for each in (whole, *whole.children(recursive=True)):
            times = each.cpu_times()
            seconds += times.user + times.system
            peak += peak_mb(each.pid)
    return Spent(seconds, peak) if seconds else None
