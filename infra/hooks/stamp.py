"""
Records when the package was built, so that the app can say how old its deployment is.

azd runs this before it packs the app; `python -m tools.package` does the same.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
# `shared.version` reads it.
STAMP = "shared/packed.txt"


def write(root: Path, at: datetime) -> None:
    """Write *at* to the file that the app reads."""
    (root / STAMP).write_text(at.astimezone(UTC).isoformat(timespec="seconds") + "\n", "ascii")


if __name__ == "__main__":
    write(ROOT, datetime.now(UTC))
    sys.exit(0)
