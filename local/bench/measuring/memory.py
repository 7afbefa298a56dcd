"""The peak memory of this process."""

from __future__ import annotations

import sys
from pathlib import Path

_PROC = Path("/proc/self")  # windows: not there
_STATUS, _FORGET = _PROC / "status", _PROC / "clear_refs"


def peak_kb() -> float:
    """The peak memory in KB since `forget_peak`, or ever if the peak cannot be reset."""
    if _STATUS.exists():
        # Not getrusage: there a child starts with the peak of its parent.
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    if sys.platform == "win32":
        # Imported only where needed: else its memory would be measured too.
        import psutil

        return psutil.Process().memory_info().peak_wset / 1024
    import resource

    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1024 if sys.platform == "darwin" else peak


def forget_peak() -> None:
    """Reset the peak to the current memory, if the system can (Linux, proc(5))."""
    if _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")
