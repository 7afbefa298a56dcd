"""How much memory this process held at most."""

from __future__ import annotations

import sys
from pathlib import Path

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_kb() -> float:
    """The most memory this process held since `forget_peak`, or ever where none is forgotten."""
    if _STATUS.exists():
        # Not getrusage: there a child begins with the peak of the process that started it.
        lines = _STATUS.read_text(encoding="utf-8").splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    # Imported here: there is none on Windows.
    import resource

    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return peak / 1024 if sys.platform == "darwin" else peak


def forget_peak() -> None:
    """Count from what is held now, where the system can (Linux, proc(5))."""
    if _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")
