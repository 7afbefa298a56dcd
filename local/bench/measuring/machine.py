"""A description of the machine that was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

# Linux only; other systems report less.
_PROC = Path("/proc")  # windows: not told


def described() -> str:
    """Cores, processor, memory, system and Python, for comparisons."""
    parts = [f"{os.cpu_count()} cores", _processor(), _memory(), platform.system()]
    return ", ".join([*filter(None, parts), f"Python {platform.python_version()}"])


def load() -> float | None:
    """The average number of processes that wanted a core in the last minute; None if unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def _processor() -> str:
    return _field("cpuinfo", "model name") or platform.machine()


def _memory() -> str:
    kilobytes = _field("meminfo", "MemTotal").removesuffix(" kB")
    return f"{int(kilobytes) / 2**20:.0f} GB" if kilobytes.isdecimal() else ""


def _field(file_name: str, name: str) -> str:
    file = _PROC / file_name
    if not file.exists():
        return ""
    lines = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
    return next((text.strip() for key, _, text in lines if key.strip() == name), "")
