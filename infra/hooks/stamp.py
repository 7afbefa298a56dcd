"""
Writes down when the package is put together, so that the app can tell when it was deployed.

azd runs it before it packs the app, and `python -m tools.package` does the same.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
# `shared.version` reads it.
STAMP = "shared/packed.txt"


def write(root: Path, at: datetime) -> None:
    """Write *at* where the app looks for it."""
    (root / STAMP).write_text(at.astimezone(UTC).isoformat(timespec="seconds") + "\n", "ascii")


if __name__ == "__main__":
    write(ROOT, datetime.now(UTC))
    sys.exit(0)
