"""How much memory this process held at most."""

from __future__ import annotations

import sys
from pathlib import Path

_PROC = Path("/proc/self")  # windows: not there
_STATUS, _FORGET = _PROC / "status", _PROC / "clear_refs"


def peak_kb() -> float:
    """The most memory this process held since `forget_peak`, or ever where none is forgotten."""
    if _STATUS.exists():
        # Not getrusage: there a child begins with the peak of the process that started it.
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    if sys.platform == "win32":
        # Not imported where it is not needed: it would be measured, too.
        import psutil

        return psutil.Process().memory_info().peak_wset / 1024
    import resource

    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1024 if sys.platform == "darwin" else peak


def forget_peak() -> None:
    """Count from what is held now, where the system can (Linux, proc(5))."""
    if _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")
